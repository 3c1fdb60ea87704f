"""Code and commands in the documents are right."""

import itertools
import re
import shlex

import click
import pytest

from fankeep.cli.program import command as program


def commands(examples):
    """Every line of a shell block that calls make or fankeep."""
    for path, language, code in examples:
        if language not in ("", "sh", "console"):
            continue
        for line in code.splitlines():
            if re.match(r"(\.venv/bin/)?(make|fankeep) ", line):
                name, *words = shlex.split(line, comments=True)
                yield path, name.rpartition("/")[2], words


def test_python_examples_compile(examples):
    for path, language, code in examples:
        if language == "python":
            compile(code, str(path), "exec")


def test_make_targets_that_are_named_exist(examples, root):
    targets = set(re.findall(r"^([a-z]+):", (root / "Makefile").read_text(), re.MULTILINE))
    named = [(path, words) for path, name, words in commands(examples) if name == "make"]

    assert named
    for path, words in named:
        assert words[0] in targets, path


def test_fankeep_commands_that_are_named_exist_with_their_options(examples):
    context = click.Context(program)
    listed = program.list_commands(context)
    for path, name, words in commands(examples):
        if name != "fankeep" or words[0] not in listed:
            continue
        command = program.get_command(context, words[0])
        rest = list(itertools.takewhile(lambda word: word not in (">", "|"), words[1:]))
        if isinstance(command, click.Group) and not (command.invoke_without_command and _only_options(rest)):
            assert rest[0] in command.list_commands(context), path
            command, rest = command.get_command(context, rest[0]), rest[1:]
        options = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        assert {word for word in rest if word.startswith("-")} <= options, path


def _only_options(words):
    return not words or words[0].startswith("-")


@pytest.mark.parametrize("command", ["make demo", "make test", "make dev"])
def test_the_readme_gives_the_command_on_its_first_screen(root, command):
    assert command in "\n".join((root / "README.md").read_text().splitlines()[:25])
