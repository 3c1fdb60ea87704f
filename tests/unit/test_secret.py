"""A Secret can be used and not shown."""

from __future__ import annotations

import copy
import io
import json
import logging
import pickle
import traceback

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.traceback import Traceback

from fankeep.secret import Secret

VALUE = "correct-horse-battery-staple"


@pytest.mark.parametrize(
    "show",
    [
        str,
        format,
        lambda secret: f"{secret}",
        lambda secret: f"{secret!s:>40}",
        lambda secret: "%s" % secret,  # noqa: UP031 - the old way must fail as well
        "{}".format,
        bytes,
        json.dumps,
        lambda secret: json.dumps({"token": secret}),
        msgspec.json.encode,
        pickle.dumps,
        copy.copy,
        copy.deepcopy,
        hash,
    ],
)
def test_every_way_of_writing_it_down_is_refused_without_the_value(show) -> None:
    with pytest.raises(TypeError) as refused:
        show(Secret(VALUE))
    assert VALUE not in str(refused.value)


@pytest.mark.parametrize("show", [repr, ascii, "{!r}".format, lambda secret: f"{[secret]} {(secret,)}"])
def test_its_repr_says_that_there_is_one_and_not_which(show) -> None:
    assert VALUE not in show(Secret(VALUE))
    assert "Secret(***)" in show(Secret(VALUE))


def test_printing_it_prints_nothing_of_it(capsys) -> None:
    with pytest.raises(TypeError):
        print(Secret(VALUE))  # noqa: T201 - the point of the test
    assert VALUE not in capsys.readouterr().out


def fail_with(secret: Secret[str]) -> None:
    local = secret
    raise RuntimeError(repr(local))


def test_a_traceback_with_all_locals_does_not_hold_it() -> None:
    try:
        fail_with(Secret(VALUE))
    except RuntimeError as error:
        plain = "".join(
            traceback.TracebackException.from_exception(error, capture_locals=True).format(chain=True)
        )
        console = Console(file=io.StringIO(), width=200)
        console.print(Traceback.from_exception(type(error), error, error.__traceback__, show_locals=True))
        assert isinstance(console.file, io.StringIO)
        assert VALUE not in plain + console.file.getvalue()
        assert "Secret(***)" in plain


def test_logging_it_as_an_argument_does_not_write_it(capsys) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logger = logging.Logger("test")  # noqa: LOG001 - of its own, so that nothing else is changed
    logger.addHandler(handler)
    logger.error("token %s", Secret(VALUE))
    written = stream.getvalue() + capsys.readouterr().err
    assert VALUE not in written


def test_it_has_no_attribute_that_shows_it_by_accident() -> None:
    secret = Secret(VALUE)
    assert not hasattr(secret, "__dict__")
    with pytest.raises(TypeError):
        vars(secret)
    with pytest.raises(AttributeError):
        secret.value = "other"


def test_only_str_and_bytes_can_be_secret() -> None:
    with pytest.raises(TypeError):
        Secret(Secret(VALUE))
    assert Secret(b"x").reveal() == b"x"


def test_an_empty_secret_is_false() -> None:
    assert not Secret("")
    assert Secret("x")


@given(first=st.text(), second=st.text())
def test_two_secrets_are_equal_exactly_if_their_values_are(first: str, second: str) -> None:
    assert (Secret(first) == Secret(second)) == (first == second)
    assert Secret(first) != first
