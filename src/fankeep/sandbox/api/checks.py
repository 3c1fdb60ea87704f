"""What every API call is checked for before anything else: its version, its token, its allowance."""

from __future__ import annotations

from starlette.requests import Request

from fankeep.fanvue.hosts import API_VERSION, API_VERSION_HEADER
from fankeep.sandbox.api.call import ApiRefusal
from fankeep.sandbox.codes import Authorization
from fankeep.sandbox.needles import Needle
from fankeep.sandbox.sandbox import Sandbox
from fankeep.sandbox.settings import SandboxSettings
from fankeep.sandbox.tokens import AccessToken

__all__ = ["check_version", "take_allowance", "token_of"]


def check_version(request: Request, settings: SandboxSettings) -> dict[str, str]:
    """Check the version header; returns what the answer says about the version.

    Raises:
        ApiRefusal: 400 for a missing or unknown one, 410 for a retired one.
    """
    version = request.headers.get(API_VERSION_HEADER)
    if version in settings.retired_versions:
        message = f"Version {version} is retired"
        raise ApiRefusal(410, {"error": "Version retired", "message": message, "nextVersion": API_VERSION})
    missing = version is None and not settings.switches.version_header_required
    if version != API_VERSION and not missing:
        message = f"The version in {API_VERSION_HEADER} is missing or unknown; use {API_VERSION}"
        raise ApiRefusal(400, {"error": "Unsupported API version", "message": message})
    if not settings.switches.version_deprecated:
        return {}
    return {
        "deprecation": "Thu, 01 Jan 2026 00:00:00 GMT",
        "sunset": "Fri, 01 Jan 2027 00:00:00 GMT",
        "x-fanvue-api-next-version": "2026-06-26",
    }


def token_of(request: Request, sandbox: Sandbox) -> AccessToken:
    """The living access token of a call.

    Raises:
        ApiRefusal: 401.
    """
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        sandbox.needles.add(Needle.ACCESS_TOKEN, value)
        token = sandbox.tokens.access_token(value, now=sandbox.now())
        if token is not None:
            return token
    raise ApiRefusal(401, {"error": "Unauthorized"})


def take_allowance(
    authorization: Authorization, sandbox: Sandbox, *, creator: str | None = None
) -> dict[str, str]:
    """Count a call against its bucket; returns what the answer says about that.

    Args:
        authorization: the app and the person who call.
        sandbox: where the buckets are.
        creator: the creator in the path of a call on behalf of one; such calls have a bucket of their own.

    Raises:
        ApiRefusal: 429.
    """
    app = authorization.client_id if sandbox.settings.switches.bucket_per_app else "any"
    key = f"{app}:{authorization.creator}"
    if creator is not None:
        key = f"{key}:{creator.lower()}"
    allowance = sandbox.limiter.take(key, now=sandbox.now())
    allowance = allowance.told(sandbox.clock.skew)
    if not allowance.allowed:
        raise ApiRefusal(429, {"error": "Too Many Requests"}, allowance.headers)
    return allowance.headers
