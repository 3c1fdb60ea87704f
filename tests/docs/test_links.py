"""Documents lead somewhere."""

import re
from os.path import normpath
from pathlib import Path
from urllib.parse import urlsplit

DOOR = Path("docs/index.md")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def headings(text):
    return {
        re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()).replace(" ", "-") for line in text.splitlines()
    }


def test_every_link_within_the_repository_leads_to_a_file_that_is_there(pages, root):
    broken = [
        f"{path}: {target}"
        for path, text in pages.items()
        for target in _LINK.findall(text)
        if not urlsplit(target).scheme
        and not target.startswith("#")
        and not (root / path.parent / target.partition("#")[0]).exists()
    ]

    assert broken == []


def test_every_anchor_is_a_heading(pages):
    wrong = [
        f"{path}: {target}"
        for path, text in pages.items()
        for target in _LINK.findall(text)
        if target.startswith("#") and target[1:] not in headings(text)
    ]

    assert wrong == []


def test_every_page_of_the_documentation_is_reached_from_another(pages):
    reached = {
        normpath(path.parent / target.partition("#")[0])
        for path, text in pages.items()
        for target in _LINK.findall(text)
        if not urlsplit(target).scheme
    }

    assert {str(path) for path in pages if path.parts[0] == "docs" and path != DOOR} - reached == set()
