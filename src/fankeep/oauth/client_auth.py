"""Client authentication with HTTP Basic, ``client_secret_basic`` (RFC 6749 section 2.3.1).

Fanvue refuses the secret in the form body with ``invalid_client``, so there is no other method here.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from urllib.parse import quote_plus, urlencode

from fankeep.oauth.client import ClientRegistration
from fankeep.secret import Secret
from fankeep.types import HttpRequest

__all__ = ["build_authenticated_post"]


def build_authenticated_post(
    url: str, client: ClientRegistration, client_secret: Secret[str], form: Mapping[str, str]
) -> HttpRequest:
    """Build a form post that authenticates the client.

    Args:
        url: an endpoint of the pinned server.
        client: whose id goes into the header and, as the public client id, into the form.
        client_secret: goes into the header alone.
        form: the parameters, without ``client_id``.
    """
    return HttpRequest(
        method="POST",
        url=url,
        headers={
            "accept": "application/json",
            "authorization": _basic(client.client_id, client_secret),
            "content-type": "application/x-www-form-urlencoded",
        },
        body=urlencode({**form, "client_id": client.client_id}).encode("ascii"),
    )


def _basic(client_id: str, client_secret: Secret[str]) -> str:
    """Encode as a form does, then as RFC 7617 does: a colon or a non-ASCII letter cannot shift the border."""
    pair = f"{quote_plus(client_id)}:{quote_plus(client_secret.reveal())}"
    return "Basic " + base64.b64encode(pair.encode("ascii")).decode("ascii")
