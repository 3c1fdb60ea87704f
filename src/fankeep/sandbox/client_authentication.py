"""Client authentication at the token and revocation endpoints (RFC 6749 section 2.3.1)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from urllib.parse import unquote_plus

from fankeep.sandbox.apps import App, AppBook
from fankeep.sandbox.refusals import Refusal, RefusalKind

__all__ = ["authenticate"]

_POST_HINT = (
    "The OAuth 2.0 Client supports client authentication method 'client_secret_basic', but method"
    " 'client_secret_post' was requested. You must configure the OAuth 2.0 client's"
    " 'token_endpoint_auth_method' value to accept 'client_secret_post'."
)
_NONE_HINT = _POST_HINT.replace("client_secret_post", "none")


def authenticate(header: str | None, form: Mapping[str, str], apps: AppBook, *, accept_post: bool) -> App:
    """Find out which app is calling.

    Args:
        header: the ``Authorization`` field.
        form: the request's form; it may repeat the ``client_id`` but must not carry the secret.
        apps: the registered apps.
        accept_post: also take the secret from the form.

    Raises:
        Refusal: ``invalid_client``, or ``invalid_request`` for two methods at once.
    """
    if header is not None and "client_secret" in form:
        raise Refusal(RefusalKind.INVALID_REQUEST, "Only one client authentication method may be used.")
    if header is not None:
        client_id, client_secret = _basic(header)
        if form.get("client_id", client_id) != client_id:
            raise Refusal(RefusalKind.INVALID_CLIENT)
    elif "client_secret" in form:
        if not accept_post:
            raise Refusal(RefusalKind.INVALID_CLIENT, _POST_HINT)
        client_id, client_secret = form.get("client_id", ""), form["client_secret"]
    else:
        raise Refusal(RefusalKind.INVALID_CLIENT, _NONE_HINT)
    app = apps.get(client_id)
    if app is None or not app.proves(client_secret):
        raise Refusal(RefusalKind.INVALID_CLIENT)
    return app


def _basic(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise Refusal(RefusalKind.INVALID_CLIENT)
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        raise Refusal(RefusalKind.INVALID_CLIENT) from None
    client_id, _, client_secret = text.partition(":")
    return unquote_plus(client_id), unquote_plus(client_secret)
