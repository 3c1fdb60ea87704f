"""Renders the templates: autoescape on, one style sheet, no script but one, nothing from other hosts."""

from __future__ import annotations

import colorsys
import hashlib
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_urlsafe

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response

from fankeep.sandbox.authorization import Reply

__all__ = ["PageRenderer", "avatar", "see_other", "style_sheet"]

_HERE = Path(__file__).parent
_HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class PageRenderer:
    """Turns a template and its values into a page."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["clock"] = _clock
        self._templates.filters["money"] = _money

    def page(
        self, name: str, values: dict[str, object], *, status: int = 200, leads_out: bool = False
    ) -> HTMLResponse:
        """Render a page.

        Args:
            name: the template without its ending.
            values: what the template shows.
            status: of the answer.
            leads_out: forms end at the app; browsers check every redirect after a form, and where the app
                goes on to from its callback is its own affair.
        """
        nonce = token_urlsafe(16)
        text = self._templates.get_template(f"{name}.html").render({"nonce": nonce, **values})
        targets = "'self' http: https:" if leads_out else "'self'"
        policy = (
            "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none';"
            f" frame-ancestors 'none'; script-src 'nonce-{nonce}'; form-action {targets}"
        )
        return HTMLResponse(text, status, headers={**_HEADERS, "content-security-policy": policy})

    def reply(self, reply: Reply) -> Response:
        """Send the browser back to the app, by redirect or by a form that posts itself."""
        if reply.response_mode == "form_post":
            return self.page(
                "form_post",
                {"target": reply.redirect_uri, "fields": dict(reply.fields)},
                leads_out=True,
            )
        return see_other(reply.location)


def see_other(location: str) -> RedirectResponse:
    """Lead the browser on with a GET."""
    return RedirectResponse(location, 303, headers={"cache-control": "no-store"})


def style_sheet() -> Response:
    """The one style sheet."""
    return Response((_HERE / "style.css").read_bytes(), media_type="text/css")


def avatar(name: str) -> Response:
    """A round picture with initials, drawn from the name alone."""
    words = name.split() or ["?"]
    letters = (words[0][:1] + (words[-1][:1] if len(words) > 1 else "")).upper()
    hue = int.from_bytes(hashlib.sha256(name.encode()).digest()[:2]) / 0xFFFF
    first, second = _colour(hue, 0.45), _colour(hue + 0.12, 0.34)
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96"><defs>'
        '<linearGradient id="g" x2="1" y2="1">'
        f'<stop stop-color="{first}"/><stop offset="1" stop-color="{second}"/></linearGradient></defs>'
        '<rect width="96" height="96" fill="url(#g)"/><text x="48" y="60" font-family="system-ui,sans-serif"'
        f' font-size="36" font-weight="600" fill="#fff" text-anchor="middle">{_escape(letters)}</text></svg>'
    )
    return Response(svg, media_type="image/svg+xml", headers={"cache-control": "max-age=3600"})


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _colour(hue: float, lightness: float) -> str:
    red, green, blue = colorsys.hls_to_rgb(hue % 1, lightness, 0.55)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S")


def _money(cents: int) -> str:
    return f"${cents / 100:,.2f}"
