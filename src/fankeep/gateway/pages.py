"""Our pages for people: plain HTML with one inline style sheet, no script, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from jinja2 import DictLoader, Environment, StrictUndefined
from starlette.responses import HTMLResponse

from fankeep.policy import page_headers

__all__ = ["render_page"]

_TEMPLATES: Final = ("base.html", "connect.html", "disconnect.html", "message.html")
# Browsers hold form-action against every redirect that follows the post, and the sign-in goes through
# addresses of Fanvue's that may change. The page has no content of others, so any https target is fine.
_FORM_TARGETS: Final = ("https:",)


def render_page(
    template: str, *, status: int = 200, form_target: str | None = None, **values: object
) -> HTMLResponse:
    """Render one of our pages.

    Args:
        template: the file name.
        status: of the answer.
        form_target: an origin that a form may end up at besides https ones, for development.
        values: for the template; everything is escaped.
    """
    html = _environment().get_template(template).render(values)
    return HTMLResponse(html, status, headers=_headers(form_target))


def _headers(form_target: str | None) -> Mapping[str, str]:
    targets = _FORM_TARGETS if form_target is None else (*_FORM_TARGETS, form_target)
    return page_headers(style_hashes=[_style_hash()], form_targets=targets)


@cache
def _file(name: str) -> str:
    return (files("fankeep.gateway") / "templates" / name).read_text(encoding="utf-8")


@cache
def _style() -> str:
    return _file("style.css").strip()


@cache
def _style_hash() -> str:
    return base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=DictLoader({name: _file(name) for name in _TEMPLATES}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["style"] = _style()
    return environment
