"""Requirement files: everything pinned and hashed, nothing that names a host, the sets fit together."""

import json
import re
import tomllib

import pytest

FILES = ["tools", "build", "base", "dev"]
_PACKAGE = re.compile(r"^([a-z0-9._-]+)(?:\[[a-z,]+\])?==(\S+)(.*)$")


@pytest.fixture(scope="module")
def entries(root):
    """Package lines with their hashes, by file."""
    found = {}
    for name in FILES:
        text = (root / "requirements" / f"{name}.txt").read_text().replace("\\\n", "")
        found[name] = [
            line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")
        ]
    return found


def versions(lines):
    return {match[1]: match[2] for line in lines if (match := _PACKAGE.match(line))}


@pytest.mark.parametrize("name", FILES)
def test_every_package_has_a_version_and_hashes(entries, name):
    assert entries[name]
    for line in entries[name]:
        assert _PACKAGE.match(line), line
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", line), line


@pytest.mark.parametrize("name", FILES)
def test_no_file_names_a_host(root, name):
    assert "://" not in (root / "requirements" / f"{name}.txt").read_text()


def test_the_lock_file_of_npm_names_no_host_and_has_a_hash_for_every_package(root):
    text = (root / "tests" / "node" / "package-lock.json").read_text()
    packages = json.loads(text)["packages"]
    wanted = json.loads((root / "tests" / "node" / "package.json").read_text())["dependencies"]

    assert "://" not in text
    assert packages[""]["dependencies"] == wanted
    assert {name: packages[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    for name, package in packages.items():
        assert name == "" or package["integrity"].startswith("sha512-"), name


def test_the_test_set_has_the_same_versions_as_the_base_set(entries):
    base, build, dev = (versions(entries[name]) for name in ("base", "build", "dev"))

    assert base.items() <= dev.items()
    assert build.items() <= dev.items()


def test_every_dependency_of_the_project_is_in_the_base_set(root, entries):
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    names = {re.split(r"[^A-Za-z0-9._-]", text)[0].lower() for text in project["dependencies"]}

    assert names <= set(versions(entries["base"]))


def test_the_build_backend_is_pinned_and_nothing_else_is_fetched_for_it(root, entries):
    build = tomllib.loads((root / "pyproject.toml").read_text())["build-system"]
    names = {re.split(r"[^A-Za-z0-9._-]", text)[0] for text in build["requires"]}
    installs = [line for line in (root / "Makefile").read_text().splitlines() if "--editable" in line]

    assert names <= set(versions(entries["build"]))
    assert installs
    assert all("--no-build-isolation" in line and "--no-deps" in line for line in installs)


def test_every_installation_checks_hashes(root):
    text = (root / "Makefile").read_text().replace("\\\n", " ")
    installs = re.findall(r"(?:pip install|pip sync)\b.*", text)

    assert len(installs) == 5
    for line in installs:
        assert "--require-hashes" in line or "--editable" in line, line
