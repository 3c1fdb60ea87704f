"""The token endpoint (RFC 6749 section 3.2) and the revocation endpoint (RFC 7009) over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response

from fankeep.sandbox.apps import App
from fankeep.sandbox.broken_answers import spoil
from fankeep.sandbox.client_authentication import authenticate
from fankeep.sandbox.faults import Fault, Moment, Target
from fankeep.sandbox.http import BodyTooLarge, json_answer, read_form
from fankeep.sandbox.journal import Entry, fingerprint
from fankeep.sandbox.json import JsonObject
from fankeep.sandbox.needles import Needle
from fankeep.sandbox.refusals import Refusal, RefusalKind
from fankeep.sandbox.sandbox import Sandbox
from fankeep.sandbox.tokens import TokenPair

__all__ = ["TokenEndpoint"]

_Work: TypeAlias = Callable[[], Response]

_FORM_NEEDLES = {
    "code": Needle.AUTHORIZATION_CODE,
    "code_verifier": Needle.CODE_VERIFIER,
    "refresh_token": Needle.REFRESH_TOKEN,
    "client_secret": Needle.CLIENT_SECRET,
}


class TokenEndpoint:
    """Answers token and revocation requests, and lets them go wrong when told to."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def token(self, request: Request, entry: Entry) -> Response:
        """Exchange a code or a refresh token for a pair of tokens."""
        try:
            form = await self._form(request)
            grant_type = form.get("grant_type", "")
            self._sandbox.befall(Target.TOKEN, grant_type, entry)
            app = self._authenticate(request, form, entry)
        except Refusal as refusal:
            return _refuse(refusal, entry)
        entry.note(grant_type=grant_type[:64])
        fault = self._sandbox.faults.take(Target.TOKEN, grant_type)
        return await self._with_fault(fault, entry, lambda: self._grant(grant_type, form, app, entry))

    async def revoke(self, request: Request, entry: Entry) -> Response:
        """Revoke a token; what is unknown or already dead is answered with 200 as well."""
        try:
            form = await self._form(request)
            self._sandbox.befall(Target.REVOKE, None, entry)
            app = self._authenticate(request, form, entry)
        except Refusal as refusal:
            return _refuse(refusal, entry)
        fault = self._sandbox.faults.take(Target.REVOKE)
        return await self._with_fault(fault, entry, lambda: self._revoke(form, app, entry))

    async def _form(self, request: Request) -> dict[str, str]:
        try:
            form = await read_form(request)
        except BodyTooLarge:
            raise
        except ValueError:
            raise Refusal(RefusalKind.INVALID_REQUEST) from None
        for name, kind in _FORM_NEEDLES.items():
            self._sandbox.needles.add(kind, form.get(name))
        return form

    def _authenticate(self, request: Request, form: dict[str, str], entry: Entry) -> App:
        app = authenticate(
            request.headers.get("authorization"),
            form,
            self._sandbox.apps,
            accept_post=self._sandbox.settings.switches.client_secret_post,
        )
        entry.note(client_id=app.client_id)
        return app

    async def _with_fault(self, fault: Fault | None, entry: Entry, work: _Work) -> Response:
        """Do the work before or after things go wrong, as the fault says."""

        def kept_work() -> Response:
            answer = work()
            self._sandbox.keep()
            return answer

        if fault is None:
            return kept_work()
        if fault.moment is Moment.AFTER:
            return await spoil(fault, kept_work(), entry, self._sandbox)
        answer = await spoil(fault, json_answer({"access_token": "none"}), entry, self._sandbox)
        return kept_work() if fault.waits else answer

    def _grant(self, grant_type: str, form: dict[str, str], app: App, entry: Entry) -> Response:
        try:
            pair = self._pair(grant_type, form, app, entry)
        except Refusal as refusal:
            return _refuse(refusal, entry)
        answer = self._answer(pair, entry)
        if grant_type == "refresh_token" and not self._sandbox.settings.switches.scope_on_refresh:
            del answer["scope"]
        return json_answer(answer, headers={"pragma": "no-cache"})

    def _pair(self, grant_type: str, form: dict[str, str], app: App, entry: Entry) -> TokenPair:
        match grant_type:
            case "authorization_code":
                return self._redeem(form, app, entry)
            case "refresh_token":
                return self._rotate(form, app, entry)
            case _:
                raise Refusal(RefusalKind.UNSUPPORTED_GRANT_TYPE)

    def _redeem(self, form: dict[str, str], app: App, entry: Entry) -> TokenPair:
        code = form.get("code", "")
        entry.note(code=fingerprint(code))
        if self._sandbox.codes.was_used(code):
            self._sandbox.tokens.code_reused(code)
        now = self._sandbox.now()
        authorization = self._sandbox.codes.redeem(
            code,
            client_id=app.client_id,
            redirect_uri=form.get("redirect_uri", ""),
            verifier=form.get("code_verifier", ""),
            now=now,
        )
        return self._sandbox.tokens.start(authorization, code, now=now)

    def _rotate(self, form: dict[str, str], app: App, entry: Entry) -> TokenPair:
        value = form.get("refresh_token", "")
        entry.note(refresh_token=fingerprint(value))
        known = self._sandbox.tokens.refresh_token(value)
        if known is not None:
            entry.note(chain=known.chain.number, token=known.number, use=known.uses + 1)
        return self._sandbox.tokens.rotate(
            value,
            client_id=app.client_id,
            app_scopes=app.scopes,
            scope=form.get("scope"),
            now=self._sandbox.now(),
        )

    def _revoke(self, form: dict[str, str], app: App, entry: Entry) -> Response:
        token = form.get("token", "")
        entry.note(refresh_token=fingerprint(token))
        try:
            gone = self._sandbox.tokens.revoke(token, client_id=app.client_id, now=self._sandbox.now())
        except Refusal as refusal:
            return _refuse(refusal, entry)
        if gone is not None:
            self._sandbox.withdraw(creator=gone.creator, client_id=gone.client_id)
        return Response(status_code=200, headers={"cache-control": "no-store"})

    def _answer(self, pair: TokenPair, entry: Entry) -> JsonObject:
        """The members of RFC 6749 section 5.1, and an ID token when ``openid`` was granted."""
        needles = self._sandbox.needles
        authorization = pair.access.chain.authorization
        needles.add(Needle.ACCESS_TOKEN, pair.access.value)
        answer: JsonObject = {
            "access_token": pair.access.value,
            "expires_in": pair.expires_in,
            "scope": " ".join(authorization.scopes),
            "token_type": "bearer",
        }
        entry.note(chain=pair.access.chain.number, creator=authorization.creator)
        if pair.refresh is not None:
            needles.add(Needle.REFRESH_TOKEN, pair.refresh.value)
            answer["refresh_token"] = pair.refresh.value
            entry.note(issued=pair.refresh.number)
        if "openid" in authorization.scopes:
            id_token = self._sandbox.issuer.id_token(
                authorization, pair.access.value, now=self._sandbox.clock.told()
            )
            needles.add(Needle.ID_TOKEN, id_token)
            answer["id_token"] = id_token
        return answer


def _refuse(refusal: Refusal, entry: Entry) -> Response:
    entry.outcome = refusal.kind.code
    headers = {"www-authenticate": 'Basic realm="sandbox"'} if refusal.kind.status == 401 else {}
    return json_answer(refusal.fields, refusal.kind.status, headers)
