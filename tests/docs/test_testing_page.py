"""The example of the page about tests runs as it stands there; so do its commands for any other app."""

import json
import os
import shlex
import subprocess
import sys
import urllib.request
from pathlib import Path

from fankeep.testing import Control

PAGE = Path("docs/how-to/testing.md")


def without(*plugins):
    return [word for plugin in plugins for word in ("-p", f"no:{plugin}")]


def test_the_example_runs_as_a_project_of_its_own(examples, tmp_path):
    for path, language, code in examples:
        if path == PAGE and language == "python":
            first, _, rest = code.partition("\n")
            (tmp_path / first.removeprefix("# ")).write_text(rest)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", *without("cacheprovider", "asyncio"), tmp_path],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=clean,
    )

    assert "5 passed" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0


def test_every_lever_is_named_on_the_page(pages):
    for name in vars(Control):
        if not name.startswith("_"):
            assert f"`{name}(" in pages[PAGE], name


def test_the_commands_for_an_app_in_any_language_do_what_they_say(examples, fanvue_sandbox):
    commands = [
        shlex.split(line)
        for path, language, code in examples
        if path == PAGE and language == "sh"
        for line in code.splitlines()
        if line.startswith("curl ")
    ]
    told = []
    for curl, as_json, body, url in commands:
        assert (curl, as_json) == ("curl", "--json")
        here = url.replace("http://127.0.0.1:4010", fanvue_sandbox.base_url)
        request = urllib.request.Request(here, body.encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            told.append(json.load(answer))

    app, endpoint, act = told
    assert app["redirect_uris"] == ["http://localhost:3000/callback"]
    assert endpoint["secret"] == fanvue_sandbox.webhook_secret
    assert endpoint["url"] == "http://localhost:3000/webhooks"
    assert act["deliveries"] == []
