"""Hostile pairs and bodies as Hypothesis strategies, tried one by one until the count is reached."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from bench.rig.forger import NOW, Header, genuine
from bench.rig.verdicts import Verdicts, judge
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st

__all__ = ["explore"]

_any_text = st.text(st.characters(exclude_categories=()))  # lone surrogates included
_pieces = ("t", "v0", "v1", "=", ",", " ", "\t", str(NOW), "0" * 64, "f" * 64, "+", ".", "é", "\0")
_near = st.lists(st.sampled_from(_pieces), max_size=14).map("".join)
_headers = st.none() | _any_text | st.binary() | _near | _near.map(str.encode)
_digits = st.text("0123456789abcdef", min_size=64, max_size=64)
_forms = st.builds(
    lambda before, time, after, digits: f"{before}t={time}{after}v0={digits}",
    st.sampled_from(["", " ", "v1=,", "\n"]),
    st.integers(-1, 10**13) | st.just(NOW) | st.floats().filter(math.isfinite),
    st.sampled_from([",", " , ", ";", ",v1=x,"]),
    _digits,
)


@st.composite
def _of_another_body(draw: st.DrawFn) -> tuple[str, bytes]:
    body = draw(st.binary(max_size=200))
    other = draw(st.binary(max_size=200).filter(lambda text: text != body))
    return genuine(body, at=draw(st.just(NOW) | st.integers(0, 10**12 - 1))), other


_pairs: st.SearchStrategy[tuple[Header, bytes]] = (
    st.tuples(_headers, st.binary(max_size=300)) | st.tuples(_forms, st.binary()) | _of_another_body()
)


def explore(count: int, *, first: int) -> Verdicts:
    """Try so many pairs that Hypothesis makes.

    Args:
        count: how many.
        first: the seed.
    """
    found = Verdicts()

    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @given(_pairs)
    def each(pair: tuple[Header, bytes]) -> None:
        found.ends["hypothesis", judge(*pair)] += 1

    run: Callable[[], Any] = seed(first)(each)
    run()
    return found
