"""Small parts that every route needs: bodies with a cap, forms, JSON answers, same-origin checks."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from fankeep.sandbox.json import JsonObject, decode_json, encode_json, object_of

__all__ = [
    "BODY_LIMIT",
    "BodyTooLarge",
    "json_answer",
    "parse_form",
    "read_body",
    "read_form",
    "read_json",
    "same_origin",
]

BODY_LIMIT = 1 << 20
_FIELDS_LIMIT = 200
_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


class BodyTooLarge(ValueError):
    """The body is over the limit."""


async def read_body(request: Request) -> bytes:
    """Read a body of at most one MiB.

    Raises:
        BodyTooLarge: there is more.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT:
            raise BodyTooLarge("the body is larger than one MiB")
    return bytes(body)


async def read_form(request: Request) -> dict[str, str]:
    """Read an ``application/x-www-form-urlencoded`` body.

    Raises:
        ValueError: it is none, or a field stands in it twice (RFC 6749 section 3.2).
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise ValueError("the body is not a form")
    return parse_form((await read_body(request)).decode())


def parse_form(text: str) -> dict[str, str]:
    """Read form-encoded text, each field at most once.

    Raises:
        ValueError: a field stands in it twice, or there are too many.
    """
    pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_FIELDS_LIMIT, errors="strict")
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a field stands twice")
    return fields


async def read_json(request: Request) -> JsonObject:
    """Read a JSON object; an empty body is an empty object.

    Raises:
        ValueError: the body is no JSON object.
    """
    body = await read_body(request)
    return object_of(decode_json(body)) if body else {}


def json_answer(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer that no cache keeps."""
    return Response(
        encode_json(content),
        status,
        headers={**_HEADERS, **(headers or {})},
        media_type="application/json",
    )


def same_origin(request: Request) -> bool:
    """Whether a request comes from the sandbox's own pages, is typed in, or comes from no browser at all."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")
