"""Make the reference pages that follow from the code; ``make reference`` runs it.

``--check`` writes nothing and fails when a page is not what it would write.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import fields
from importlib import import_module
from pathlib import Path

import click
from pydantic.fields import FieldInfo

from fankeep import errors
from fankeep.cli.program import command as program
from fankeep.errors import FankeepError
from fankeep.fanvue.detail_types import DETAIL_TYPES
from fankeep.fanvue.event_types import EVENT_TYPES, EventType
from fankeep.fanvue.operations import OPERATIONS
from fankeep.keep.environment import variable
from fankeep.keep.fields import SECRET_FIELDS, Fields
from fankeep.keep.rules import RULES
from fankeep.sandbox import SandboxSettings, Switches
from fankeep.sandbox.switching import OPTIONS
from fankeep.telemetry import metrics

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
_MADE = "<!-- Made by `make reference`; change the code and make it again. -->"
_WIDTH = 100

_SETTINGS = f"""\
# Settings

{_MADE}

fankeep reads `FANKEEP_*` variables once, at its start. A name that is not listed here is refused. Every
secret may lie in a file instead, which the variable with `_FILE` at its end names.

| variable | default | meaning | example |
|---|---|---|---|"""

_RULES = """
## What has to hold

Each of these lines stops the start with exit code 2; several that apply are said at once, and never a value.

| where | line |
|---|---|"""

_ERRORS = f"""\
# Errors

{_MADE}

Answers to API calls have one shape: `{{"error": code, "message": text, "reference": id}}`. The text is
generic, for a mistaken parameter of the internal listener exact; what happened is in the log, under the
reference. In Python the classes below are raised; each is a
`FankeepError`, and the tree says who has to act.

| class | code | HTTP status | meaning |
|---|---|---|---|"""

_COMMAND_LINE = f"""\
# Command line

{_MADE}

Exit codes: 0 done, 1 failed, 2 something that the caller has to change (arguments, settings, files),
130 interrupted. An error is one line on stderr; of wrong arguments it is the last one, below the usage."""

_REQUIREMENTS = f"""\
# Requirements

{_MADE}

What the backend of an app on Fanvue must do to be secure, as sentences that a test can check. They were
drawn from RFC 9700, RFC 6749 and its companions, the draft on OAuth for browser-based apps, OWASP ASVS
5.0.0, and Standard Webhooks. Each names what shows it: tests, which must exist, or settings that are
refused. What nothing shows yet says why.
"""

_CONFORMANCE = f"""\
# What the sandbox holds to

{_MADE}

What is known of Fanvue's OAuth, scopes, webhooks and API, how well it is known, and the test that holds the
sandbox to it. Where sources disagree the sandbox has a switch whose default is the likelier reading.

The column "how it is set" gives the option of `fankeep sandbox` with the default. In tests, what `--switch`
sets is an argument of `fankeep.testing.Switches` under the same name, and everything else is one of
`SandboxSettings`. What has no option, only `SandboxSettings` sets. A state file keeps none of these: give
them at each start.

| certainty | what it rests on |
|---|---|
| documented | Fanvue's documentation |
| official code | code that Fanvue has published |
| specification | the OpenAPI text, as others have published it |
| seen live | somebody else's observation of the real service |
| reported | what somebody else has written about it |
| inferred | our reading of how Ory Hydra behaves, or of what is around |
| conflicting | sources that disagree, or say nothing where something has to be chosen |

None of it was tried against the real service.
"""

_OPERATIONS = f"""\
# Operations

{_MADE}

What `FANKEEP_OPERATIONS` can list: the operations of the Fanvue API by their id, as far as they are known.
A page calls one as `/api/fanvue` and the path, `keep.client(...)` by the id. The scopes are what a creator
is asked for when it is listed, beside those that every app has.

| effect | meaning |
|---|---|
| none | reads |
| marks_read | reads; marks a chat as read if the query says `markAsRead=true`, else fankeep says `false` |
| idempotent_write | sets something; doing it again changes nothing more |
| creates | makes something that only the account itself sees; doing it again may make a second one |
| sends | reaches other people; doing it again reaches them twice |
| deletes | removes something |"""

_EVENTS = f"""\
# Events

{_MADE}

What `keep.on(...)`, the forward URL and `fankeep trigger` know. The fields are those that are kept of an
event, and the paths are within `data`. Any field may be missing, and all of them are for a creator who never
connected, or was erased. An event of another type is taken as well, as `unknown`, and nothing of its content
is kept.

Fields that are personal are kept by opt-in only, with `FANKEEP_KEEP_FIELDS`: *profile* is how a person
appears to others, *contact* a way to reach a person outside Fanvue, *content* what somebody wrote, made or
named. What is in neither column is not kept, and counted as `unlisted`. In Python all of an event is read as
a value of the type in the second column, under [names of its own](../how-to/handlers.md).

How well a type is known: *documented* by Fanvue, documented before, *reported* by others, or *inferred*.
Twins are types of another family that tell the same fact."""

_METRICS = f"""\
# Metrics

{_MADE}

What `GET /metrics` of the [internal listener](../how-to/internal.md) answers, in the text format of
Prometheus. It needs no key. Labels have the values that stand here and no others: anything else is counted
as `other`, so that no stranger's word and nothing personal gets in.

Counters and histograms are those of one process: add them up over the replicas. `fankeep_events`,
`fankeep_events_oldest_seconds` and `fankeep_events_overdue_seconds` are counted in the database when somebody
asks, at most once in five seconds, and each replica says the same: take the largest. They are `NaN` while the
database does not answer.

What to be woken by: `fankeep_alarms_total` that grows; `fankeep_events_overdue_seconds` over a minute (nobody
takes events); `fankeep_dead_letters_total` that grows ([what then](../how-to/dead-letters.md)).

| metric | kind | meaning | labels |
|---|---|---|---|"""

_FEW = 24
"""Values of a label that are written out."""

_EVENT_COLUMNS = "| type | read as | known | kept of it | kept by opt-in | twins |"

# Defaults that are worked out from other settings.
_WORKED_OUT = {"scopes": "from the operations", "keys_database_url": "beside the data"}


def settings_page() -> Iterator[str]:
    """List every setting, and what has to hold between them."""
    yield _SETTINGS
    for name, field in Fields.model_fields.items():
        twin = f"<br>`{variable(name)}_FILE`" if name in SECRET_FIELDS else ""
        example = f"`{field.examples[0]}`" if field.examples else ""
        yield f"| `{variable(name)}`{twin} | {_default(name, field)} | {field.description} | {example} |"
    yield _RULES
    for rule in RULES:
        yield f"| {rule.where} | `{variable(rule.field)}` {rule.advice} |"


def errors_page() -> Iterator[str]:
    """List every error class with its code and status."""
    yield _ERRORS
    for name in errors.__all__:
        error: type[FankeepError] = getattr(errors, name)
        base = error.__mro__[1].__name__
        meaning = (error.__doc__ or "").strip().splitlines()[0]
        yield f"| `{name}` ({base}) | `{error.code}` | {error.status} | {meaning} |"


def command_line_page() -> Iterator[str]:
    """Show the help of every command."""
    yield _COMMAND_LINE
    yield from _help("fankeep", program, None)


def requirements_page() -> Iterator[str]:
    """List the requirements with what shows each."""
    entries = tomllib.loads((ROOT / "tests" / "requirements.toml").read_text())
    shown = sum(_is_shown(entry) for entry in entries.values())
    whole = sum(_is_shown(entry) and "open" not in entry for entry in entries.values())
    yield _REQUIREMENTS
    yield f"Of {len(entries)}, {whole} are shown, {shown - whole} in part, {len(entries) - shown} not yet."
    section = ""
    for number, entry in entries.items():
        if entry["section"] != section:
            section = entry["section"]
            yield from ("", f"## {section}", "", "| | requirement | shown by |", "|---|---|---|")
        yield f"| {number} | {entry['text']} | {'<br>'.join(_shown_by(entry))} |"


def conformance_page() -> Iterator[str]:
    """List what is known of Fanvue with what holds the sandbox to it."""
    facts = tomllib.loads((ROOT / "tests" / "conformance.toml").read_text())
    held = sum(_is_shown(fact) for fact in facts.values())
    yield _CONFORMANCE
    yield f"Of {len(facts)} facts, {held} are held by a test."
    section = ""
    for number, fact in facts.items():
        if fact["section"] != section:
            section = fact["section"]
            yield from (
                "",
                f"## {section}",
                "",
                "| | fact | certainty | how it is set | held by |",
                "|---|---|---|---|---|",
            )
        switch = _switch(fact["switch"]) if "switch" in fact else ""
        shown_by = "<br>".join(_shown_by(fact))
        yield f"| {number} | {fact['text']} | {fact['certainty']} | {switch} | {shown_by} |"


def operations_page() -> Iterator[str]:
    """List what an app may be allowed to call."""
    yield _OPERATIONS
    area = ""
    for name, op in sorted(OPERATIONS.items(), key=lambda item: (item[1].path.split("/")[1], item[1].path)):
        if op.path.split("/")[1] != area:
            area = op.path.split("/")[1]
            yield from ("", f"## /{area}", "", "| id | call | scopes | effect |", "|---|---|---|---|")
        scopes = " ".join(f"`{scope}`" for scope in op.scopes)
        yield f"| `{name}` | `{op.method} {op.path}` | {scopes} | {op.side_effect.value} |"


def events_page() -> Iterator[str]:
    """List the types of events and what is kept of each."""
    yield _EVENTS
    family = ""
    for name, kind in EVENT_TYPES.items():
        if kind.family != family:
            family = kind.family
            yield from ("", f"## {family}", "", _EVENT_COLUMNS, "|---|---|---|---|---|---|")
        kept = " ".join(f"`{path}`" for path in kind.kept)
        twins = " ".join(f"`{twin}`" for twin in sorted(kind.twins))
        read_as = DETAIL_TYPES[name].__name__
        known = kind.certainty.replace("_", " ")
        yield f"| `{name}` | `{read_as}` | {known} | {kept} | {_by_opt_in(kind)} | {twins} |"


def metrics_page() -> Iterator[str]:
    """List every metric and what its labels can be."""
    import_module("fankeep.keep.services")  # and with it every module that defines one
    yield _METRICS
    for metric in metrics.described():
        labels = "<br>".join(f"`{label}`: {_values(values)}" for label, values in metric.labels.items())
        yield f"| `{metric.name}` | {metric.kind} | {metric.text} | {labels} |"


PAGES: dict[str, Callable[[], Iterator[str]]] = {
    "settings.md": settings_page,
    "errors.md": errors_page,
    "operations.md": operations_page,
    "events.md": events_page,
    "command-line.md": command_line_page,
    "metrics.md": metrics_page,
    "requirements.md": requirements_page,
    "sandbox-conformance.md": conformance_page,
}


def main(arguments: list[str]) -> int:
    """Write the pages, or name those that are out of date; return the exit code."""
    stale = []
    for name, make in PAGES.items():
        path, text = REFERENCE / name, "\n".join(make()) + "\n"
        if path.exists() and path.read_text() == text:
            continue
        stale.append(name)
        if "--check" not in arguments:
            path.write_text(text)
    if stale and "--check" in arguments:
        print(f"out of date: {', '.join(stale)}; run make reference")
        return 1
    return 0


def _by_opt_in(kind: EventType) -> str:
    """The fields of an event that are kept by opt-in only, by their class."""
    classes: dict[str, list[str]] = {}
    for path, field in kind.fields.items():
        if not field.kept:
            plain = path.replace("[]", "").replace("{}", "")
            classes.setdefault(field.personal.value, []).append(f"`{plain}`")
    return "; ".join(f"{name}: {' '.join(paths)}" for name, paths in classes.items())


def _default(name: str, field: FieldInfo) -> str:
    if name in _WORKED_OUT:
        return _WORKED_OUT[name]
    if field.is_required():
        return "**required**"
    value = field.get_default(call_default_factory=True, validated_data={})
    if name in SECRET_FIELDS and value is not None:
        value = value.reveal()
    return "" if value is None or value == () else f"`{value}`"


def _values(values: frozenset[str]) -> str:
    """The values of a label; of many, where they stand."""
    known = sorted(values - {"other"})
    return " ".join(f"`{value}`" for value in known) if len(known) <= _FEW else "[types](events.md)"


def _switch(name: str) -> str:
    """How a switch or setting of the sandbox is set, with its default."""
    switches = {field.name: field.default for field in fields(Switches)}
    if name in switches:
        return f"`--switch {name}={_switch_value(switches[name])}`"
    settings = {field.name: field.default for field in fields(SandboxSettings)}
    if name in OPTIONS:
        return f"`{OPTIONS[name]} {settings[name]:g}`"
    return f"`SandboxSettings({name}={settings[name]})`"


def _switch_value(value: object) -> str:
    """A value as it is typed; a number that has no default is left open."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return "NUMBER" if value is None else str(value)


def _help(name: str, command: click.Command, parent: click.Context | None) -> Iterator[str]:
    context = click.Context(
        command, info_name=name, parent=parent, terminal_width=_WIDTH, max_content_width=_WIDTH
    )
    yield from ("", f"## {context.command_path}", "", "```", command.get_help(context), "```")
    if isinstance(command, click.Group):
        for inner_name in command.list_commands(context):
            inner = command.get_command(context, inner_name)
            if inner is not None:
                yield from _help(inner_name, inner, context)


def _is_shown(entry: dict[str, list[str]]) -> bool:
    return bool(entry.get("tests") or entry.get("refusals"))


def _shown_by(entry: dict[str, list[str]]) -> Iterator[str]:
    for test in entry.get("tests", ()):
        file, _, name = test.partition("::")
        yield f"[`{name.rpartition('::')[2]}`](../../{file})"
    for refusal in entry.get("refusals", ()):
        yield f"refused at the start: {refusal}"
    if "open" in entry:
        yield f"*open: {entry['open']}*"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
