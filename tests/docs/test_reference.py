"""Reference pages say what the code does."""

import re
import subprocess
import sys

from fankeep.keep.environment import variable
from fankeep.keep.fields import Fields


def test_the_pages_are_what_the_code_makes_of_them(root):
    done = subprocess.run(
        [sys.executable, root / "scripts" / "reference.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout + done.stderr == ""
    assert done.returncode == 0


def test_every_setting_has_a_meaning(root):
    for name, field in Fields.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name


def test_no_page_names_a_setting_that_does_not_exist(pages):
    known = {variable(name) for name in Fields.model_fields}
    known |= {f"{name}_FILE" for name in known}
    for path, text in pages.items():
        named = set(re.findall(r"\bFANKEEP_[A-Z_]*[A-Z]\b", text))
        assert named <= known, path
