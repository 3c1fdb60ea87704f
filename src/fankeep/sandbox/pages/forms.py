"""Forms of the sandbox's own pages."""

from __future__ import annotations

from starlette.requests import Request

from fankeep.errors import ConfigurationError
from fankeep.sandbox.http import parse_form, read_body, same_origin

__all__ = ["read_own_form"]


async def read_own_form(request: Request) -> dict[str, str]:
    """Read a form that one of our own pages has sent.

    Raises:
        ConfigurationError: it comes from another site, or is no form.
    """
    if not same_origin(request):
        raise ConfigurationError("this form was sent by another site")
    try:
        return parse_form((await read_body(request)).decode())
    except ValueError:
        raise ConfigurationError("this form cannot be read") from None
