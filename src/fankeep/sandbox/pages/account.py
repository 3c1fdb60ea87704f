"""Sign-in and consent, as a creator meets them when an app asks for access."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from fankeep.errors import ConfigurationError
from fankeep.fanvue.scopes import FIXED_SCOPES, sentence
from fankeep.sandbox.authorization import AuthorizationServer, Reply
from fankeep.sandbox.consents import AuthorizationRequest, Login
from fankeep.sandbox.http import parse_form
from fankeep.sandbox.journal import Entry
from fankeep.sandbox.pages.forms import read_own_form
from fankeep.sandbox.pages.render import PageRenderer, see_other
from fankeep.sandbox.refusals import Refusal, RefusalKind
from fankeep.sandbox.sandbox import Sandbox

__all__ = ["AccountPages"]

_SCOPE_FIELD = "grant "


class AccountPages:
    """The browser's half of the authorization endpoint."""

    def __init__(self, sandbox: Sandbox, server: AuthorizationServer, pages: PageRenderer) -> None:
        self._sandbox = sandbox
        self._server = server
        self._pages = pages
        # Cookies do not know ports: without it two sandboxes on one machine would share a sign-in.
        self._cookie = f"sandbox_login_{sandbox.base_url.rpartition(':')[2]}"

    async def authorize(self, request: Request, entry: Entry) -> Response:
        """The authorization endpoint: errors go back to the app, everything else to a person."""
        try:
            wanted = self._server.accept(parse_form(request.url.query))
        except Refusal as refusal:
            return self._refuse(refusal, entry)
        except ValueError:
            return self._refuse(Refusal(RefusalKind.INVALID_REQUEST), entry)
        if isinstance(wanted, Reply):
            entry.outcome = wanted.fields["error"]
            return self._pages.reply(wanted)
        entry.note(client_id=wanted.client_id, scopes=" ".join(wanted.scopes))
        login = self._login(request)
        if "none" in wanted.prompts:
            return self._pages.reply(self._silently(wanted, login))
        page = "login" if self._server.needs_login(wanted, login) else "consent"
        return see_other(f"/{page}?challenge={self._sandbox.pending.add(wanted)}")

    async def show_login(self, request: Request, entry: Entry) -> Response:
        """The page on which one picks a made-up creator."""
        challenge, wanted = self._challenge(request.query_params.get("challenge", ""))
        if wanted is None:
            return self._gone(entry)
        app = self._sandbox.apps.get(wanted.client_id)
        values: dict[str, object] = {
            "challenge": challenge,
            "app": app,
            "creators": list(self._sandbox.world.creators.values()),
        }
        # The redirects that follow may lead to the app at once, when consent was given before.
        return self._pages.page("login", values, leads_out=True)

    async def login(self, request: Request, entry: Entry) -> Response:
        """Signs the browser in."""
        form = await self._form(request)
        challenge, wanted = self._challenge(form.get("challenge", ""))
        creator = self._sandbox.world.creator(form.get("creator", ""))
        if wanted is None or creator is None:
            return self._gone(entry)
        entry.note(creator=creator.uuid)
        self._sandbox.pending.replace(challenge, self._server.signed_in(wanted))
        answer = see_other(f"/consent?challenge={challenge}")
        handle = self._sandbox.logins.start(creator.uuid, now=self._sandbox.now())
        answer.set_cookie(self._cookie, handle, httponly=True, samesite="lax")
        return answer

    async def show_consent(self, request: Request, entry: Entry) -> Response:
        """The page that lists what the app asks for; skipped when all of it was granted before."""
        challenge, wanted = self._challenge(request.query_params.get("challenge", ""))
        if wanted is None:
            return self._gone(entry)
        login = self._login(request)
        if login is None or self._server.needs_login(wanted, login):
            return see_other(f"/login?challenge={challenge}")
        if not self._server.needs_consent(wanted, login):
            self._sandbox.pending.finish(challenge)
            entry.outcome = "consent_skipped"
            return self._pages.reply(self._server.approve(wanted, login, wanted.scopes))
        return self._pages.page("consent", self._consent_values(challenge, wanted, login), leads_out=True)

    async def consent(self, request: Request, entry: Entry) -> Response:
        """Takes the creator's decision."""
        form = await self._form(request)
        scopes = [name.removeprefix(_SCOPE_FIELD) for name in form if name.startswith(_SCOPE_FIELD)]
        challenge, wanted = self._challenge(form.get("challenge", ""))
        login = self._login(request)
        if wanted is None or login is None or self._server.needs_login(wanted, login):
            return self._gone(entry)
        self._sandbox.pending.finish(challenge)
        entry.note(client_id=wanted.client_id, creator=login.creator)
        if form.get("decision") == "allow":
            return self._pages.reply(self._server.approve(wanted, login, scopes))
        entry.outcome = RefusalKind.ACCESS_DENIED.code
        return self._pages.reply(self._server.deny(wanted, RefusalKind.ACCESS_DENIED))

    def _silently(self, wanted: AuthorizationRequest, login: Login | None) -> Reply:
        if login is None:
            return self._server.deny(wanted, RefusalKind.LOGIN_REQUIRED)
        if self._server.needs_consent(wanted, login):
            return self._server.deny(wanted, RefusalKind.CONSENT_REQUIRED)
        return self._server.approve(wanted, login, wanted.scopes)

    def _consent_values(
        self, challenge: str, wanted: AuthorizationRequest, login: Login
    ) -> dict[str, object]:
        asked = [scope for scope in wanted.scopes if scope not in FIXED_SCOPES or scope == "read:self"]
        return {
            "challenge": challenge,
            "app": self._sandbox.apps.get(wanted.client_id),
            "creator": self._sandbox.world.creators[login.creator],
            "scopes": [(scope, sentence(scope), scope in FIXED_SCOPES) for scope in asked],
            "stays": "offline_access" in wanted.scopes,
            "redirect_uri": wanted.redirect_uri,
        }

    def _challenge(self, handle: str) -> tuple[str, AuthorizationRequest | None]:
        wanted = self._sandbox.pending.get(handle)
        known = wanted is not None and self._sandbox.apps.get(wanted.client_id) is not None
        return handle, wanted if known else None

    def _login(self, request: Request) -> Login | None:
        return self._sandbox.logins.get(request.cookies.get(self._cookie))

    async def _form(self, request: Request) -> dict[str, str]:
        """The form if it comes from our own page; otherwise nothing."""
        try:
            return await read_own_form(request)
        except ConfigurationError:
            return {}

    def _gone(self, entry: Entry) -> Response:
        entry.outcome = "no_such_request"
        text = "This sign-in is over or was never started here. Go back to the app and start again."
        return self._pages.page("message", {"title": "Nothing to do here", "text": text}, status=400)

    def _refuse(self, refusal: Refusal, entry: Entry) -> Response:
        entry.outcome = refusal.kind.code
        values: dict[str, object] = {"title": "This app made a mistake", "text": refusal.description}
        return self._pages.page("message", values, status=refusal.kind.status)
