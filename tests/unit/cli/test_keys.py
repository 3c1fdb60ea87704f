"""``fankeep keys add``: a new key file, readable by its owner only."""

import json
import stat
import subprocess
import sys
from pathlib import Path

FANKEEP = Path(sys.executable).with_name("fankeep")


def run(*arguments):
    return subprocess.run([FANKEEP, *arguments], capture_output=True, text=True, timeout=30, check=False)


def test_add_makes_a_file_for_its_owner_only(tmp_path):
    path = tmp_path / "keys.json"

    done = run("keys", "add", "--file", path)

    assert done.returncode == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert str(path) in done.stdout


def test_add_answers_json_with_the_name_of_the_key_and_nothing_secret(tmp_path):
    path = tmp_path / "keys.json"

    answer = json.loads(run("keys", "add", "--file", path, "--json").stdout)

    written = json.loads(path.read_text())
    assert answer == {"file": str(path), "key_id": next(iter(written["keys"]))}
    assert written["keys"][answer["key_id"]] not in json.dumps(answer)


def test_add_puts_a_second_key_beside_the_first(tmp_path):
    path = tmp_path / "keys.json"
    first = json.loads(run("keys", "add", "--file", path, "--json").stdout)["key_id"]
    before = json.loads(path.read_text())["keys"]

    second = json.loads(run("keys", "add", "--file", path, "--json").stdout)["key_id"]

    after = json.loads(path.read_text())["keys"]
    assert list(after) == [first, second]
    assert after[first] == before[first]


def test_add_leaves_a_file_that_is_something_else_alone(tmp_path):
    path = tmp_path / "keys.json"
    path.write_text("mine")
    path.chmod(0o600)

    done = run("keys", "add", "--file", path)

    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert path.read_text() == "mine"


def test_add_in_a_folder_that_is_not_there_says_so_in_one_line(tmp_path):
    done = run("keys", "add", "--file", tmp_path / "no" / "keys.json")

    assert done.returncode == 2
    assert done.stderr.startswith("fankeep: ")
    assert done.stderr.count("\n") == 1
