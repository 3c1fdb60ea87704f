"""The internal listener: whose key reaches whom, and nothing beyond."""

from dataclasses import dataclass, field, replace

import pytest

from fankeep.datakeys import Ledger
from fankeep.errors import NotConnected, StorageUnavailable
from fankeep.gateway import InternalServices, internal_app
from fankeep.inbox import BacklogGauges
from fankeep.lifecycle import Directory
from fankeep.secret import Secret
from fankeep.servicekeys import Permissions, Reach, ServiceKeys
from fankeep.store import Command, open_keys, users
from fankeep.transport.listener import listening
from fankeep.types import Generation, UserId

ALICE = UserId("00000000-0000-4000-8000-000000000001")  # whom the site's stand-ins know
BOB = UserId("00000000-0000-4000-8000-000000000002")
CHATS, ME = "/chats", "/users/me"


@dataclass(frozen=True)
class Token:
    token: Secret[str]
    generation: Generation


@dataclass
class StandInTokens:
    asked: list[UserId] = field(default_factory=list)
    fails: Exception | None = None

    async def access_token(self, user: UserId) -> Token:
        self.asked.append(user)
        if self.fails is not None:
            raise self.fails
        return Token(Secret(f"token of {user}"), Generation(1))

    async def refused(self, user: UserId, generation: Generation) -> None:
        raise AssertionError


@dataclass
class Inside:
    """The internal listener of a site, and how programs speak to it."""

    site: object
    wire: object
    keys: ServiceKeys
    tokens: StandInTokens

    async def key(self, *operations: str, **permissions) -> str:
        _, shown = await self.keys.create(
            "program", Permissions(frozenset(operations), **permissions), lifetime=60
        )
        return f"Bearer {shown.reveal()}"

    async def get(self, path: str, key: str | None, method: str = "GET", body: bytes = b"", **headers):
        return await self.wire(method, f"/internal/v1{path}", body, authorization=key, **headers)

    async def cookie(self, user: UserId) -> str:
        return f"__Host-fankeep-session={(await self.site.sessions.start(user)).reveal()}"


@pytest.fixture
async def inside(site, make_keys, find_port, tmp_path):
    await site.database.write(lambda tx: users.add(tx, BOB))
    keys_db = await open_keys(f"sqlite:///{tmp_path}/keys.db", create=True)
    keys = ServiceKeys(site.database, make_keys(), Ledger(keys_db, make_keys()))
    tokens = StandInTokens()
    counts = BacklogGauges(site.database)
    services = InternalServices(
        site.services, keys, Directory(site.database), tokens, refresh_metrics=counts.refresh
    )
    app = internal_app(site.config, services)
    port = find_port()
    async with listening(app, host="127.0.0.1", port=port):
        yield Inside(site, replace(site, port=port), keys, tokens)
    await keys_db.close()


async def test_a_session_call_acts_as_the_session_s_creator_and_as_no_other(inside):
    key = await inside.key("getCurrentUser", "listChats")
    for user in (ALICE, BOB):
        answer = await inside.get("/session/fanvue/users/me", key, cookie=await inside.cookie(user))
        assert (answer.status, answer.json) == (200, {"ok": True})
    assert [(call.user, call.operation) for call in inside.site.api.calls] == [
        (ALICE, "getCurrentUser"),
        (BOB, "getCurrentUser"),
    ]


async def test_a_session_key_reaches_nobody_by_name_not_even_with_a_session(inside):
    key, cookie = await inside.key("listChats"), await inside.cookie(ALICE)
    for user in (ALICE, BOB):
        answer = await inside.get(f"/users/{user}/fanvue/chats", key, cookie=cookie)
        assert (answer.status, answer.json["error"]) == (403, "not_covered")
    assert (await inside.get("/users", key, cookie=cookie)).status == 403
    assert inside.site.api.calls == []


async def test_a_key_for_one_creator_reaches_no_other_by_name_nor_by_session(inside):
    key = await inside.key("listChats", reach=Reach.LISTED, listed=frozenset({ALICE}))
    assert (await inside.get(f"/users/{ALICE}/fanvue/chats", key)).status == 200
    assert (await inside.get(f"/users/{BOB}/fanvue/chats", key)).status == 403
    assert (await inside.get("/session/fanvue/chats", key, cookie=await inside.cookie(BOB))).status == 403
    assert (await inside.get("/session", key, cookie=await inside.cookie(BOB))).status == 403
    assert [call.user for call in inside.site.api.calls] == [ALICE]


async def test_a_key_for_all_reaches_whom_the_address_names_in_any_spelling(inside):
    key = await inside.key("listChats", reach=Reach.ALL)
    assert (await inside.get(f"/users/{BOB.upper()}/fanvue/chats?page=2", key)).status == 200
    (call,) = inside.site.api.calls
    assert (call.user, call.operation, call.query) == (BOB, "listChats", [("page", "2")])


@pytest.mark.parametrize(
    "path",
    [
        "/session",
        "/session/fanvue/chats",
        f"/users/{ALICE}/fanvue/chats",
        "/users",
        f"/users/{ALICE}/access-token",
    ],
)
@pytest.mark.parametrize("shown", [None, "", "Basic eDp5", "Bearer", "Bearer nothing of ours", "good twice"])
async def test_without_a_good_key_every_address_answers_the_same_401(inside, path, shown):
    good = await inside.key("all", reach=Reach.ALL, access_tokens=True)
    key = [good, good] if shown == "good twice" else shown
    method = "POST" if path.endswith("access-token") else "GET"
    answer = await inside.get(path, key, method, cookie=await inside.cookie(ALICE))
    if shown == "good twice":
        assert answer.status == 400  # two readers could believe different ones
        return
    assert (answer.status, answer.json["error"]) == (401, "service_key_required")
    assert answer.one("www-authenticate") == "Bearer"
    assert inside.site.api.calls == []
    assert inside.tokens.asked == []


async def test_a_revoked_key_is_refused_at_once(inside):
    key = await inside.key("listChats", reach=Reach.ALL)
    assert (await inside.get("/users", key)).status == 200
    assert await inside.keys.revoke(key.partition("_sk_")[2][:12])
    assert (await inside.get("/users", key)).status == 401


async def test_only_operations_of_the_key_and_of_the_app_go_out(inside):
    key = await inside.key("listChats", "getEarnings", reach=Reach.ALL)
    statuses = [
        (await inside.get(f"/users/{ALICE}/fanvue{path}", key)).status
        for path in (CHATS, ME, "/insights/earnings", "/nowhere", "/../chats", "")
    ]
    assert statuses == [200, 403, 403, 404, 404, 404]
    everything = await inside.key("all", reach=Reach.ALL)
    assert (await inside.get(f"/users/{ALICE}/fanvue{ME}", everything)).status == 200
    assert (await inside.get(f"/users/{ALICE}/fanvue/insights/earnings", everything)).status == 403


async def test_a_body_goes_out_as_it_came_and_the_key_and_cookies_do_not(inside):
    key = await inside.key("sendMessage", reach=Reach.ALL)
    path = f"/users/{ALICE}/fanvue/chats/00000000-0000-4000-8000-0000000000aa/message"
    answer = await inside.get(
        path, key, "POST", b'{"text": "hi"}', content_type="application/json", cookie="a=b"
    )
    assert answer.status == 200
    (call,) = inside.site.api.calls
    assert call.body == b'{"text": "hi"}'
    assert (await inside.get(path, key, "OPTIONS")).status == 405


@pytest.mark.parametrize("cookie", [None, "__Host-fankeep-session=" + "x" * 43, "other=1"])
async def test_without_a_living_session_a_session_call_is_nobody_s(inside, cookie):
    key = await inside.key("listChats")
    for path in ("/session", "/session/fanvue/chats"):
        answer = await inside.get(path, key, cookie=cookie)
        assert (answer.status, answer.json["error"]) == (401, "not_connected")


async def test_a_session_that_was_ended_is_nobody_s(inside):
    key, cookie = await inside.key("listChats"), await inside.cookie(ALICE)
    assert (await inside.get("/session", key, cookie=cookie)).json["user"] == ALICE
    await inside.site.sessions.end_all(ALICE)
    assert (await inside.get("/session", key, cookie=cookie)).status == 401


async def test_the_session_tells_who_it_is_and_what_is_missing(inside):
    inside.site.lifecycle.grant.scopes = ("openid", "read:self")
    answer = await inside.get("/session", await inside.key(), cookie=await inside.cookie(ALICE))
    assert answer.json == {
        "connected": True,
        "user": ALICE,
        "state": "live",
        "reason": None,
        "scopes": ["openid", "read:self"],
        "missing_scopes": ["read:chat"],
    }


async def test_the_creators_come_in_pages_and_only_those_of_the_key(inside):
    more = sorted(UserId(f"{number:08x}-0000-4000-8000-000000000000") for number in range(1, 150))

    async def add(tx):
        for user in more:
            await users.add(tx, user)

    await inside.site.database.write(add)
    everyone = [ALICE, BOB, *more]
    key = await inside.key(reach=Reach.ALL)
    first = (await inside.get("/users", key)).json
    second = (await inside.get(f"/users?after={first['next']}", key)).json
    assert [one["user"] for one in first["users"] + second["users"]] == everyone
    assert (len(first["users"]), second["next"]) == (100, None)
    stranger = UserId("ffffffff-0000-4000-8000-000000000000")
    listed = await inside.key(reach=Reach.LISTED, listed=frozenset({BOB, stranger}))
    assert [one["user"] for one in (await inside.get("/users", listed)).json["users"]] == [BOB]
    assert (await inside.get("/users?after=x", key)).status == 400


async def test_an_erased_creator_is_not_listed(inside):
    erase = Command("UPDATE users SET erased_at = {now} WHERE id = :id")
    await inside.site.database.write(lambda tx: tx.run(erase, id=BOB))
    for key in (
        await inside.key(reach=Reach.ALL),
        await inside.key(reach=Reach.LISTED, listed=frozenset({BOB, ALICE})),
    ):
        assert [one["user"] for one in (await inside.get("/users", key)).json["users"]] == [ALICE]


async def test_an_access_token_is_handed_out_only_to_a_key_that_says_so_and_only_for_its_creators(inside):
    listed = {"reach": Reach.LISTED, "listed": frozenset({ALICE})}
    plain, says_so = await inside.key("all", **listed), await inside.key(access_tokens=True, **listed)
    path = f"/users/{ALICE}/access-token"
    assert (await inside.get(path, plain, "POST")).status == 403
    assert (await inside.get(f"/users/{BOB}/access-token", says_so, "POST")).status == 403
    assert inside.tokens.asked == []
    answer = await inside.get(path, says_so, "POST")
    assert answer.json == {"access_token": f"token of {ALICE}", "token_type": "Bearer"}
    assert answer.one("cache-control") == "no-store"
    assert (await inside.get(path, says_so)).status == 405
    inside.tokens.fails = NotConnected()
    assert (await inside.get(path, says_so, "POST")).status == 401


async def test_metrics_need_no_key_and_hold_no_creator(inside):
    await inside.get(f"/users/{ALICE}/fanvue/chats", await inside.key("listChats", reach=Reach.ALL))
    answer = await inside.wire("GET", "/metrics")
    assert answer.status == 200
    assert answer.one("content-type").startswith("text/plain")
    assert b'fankeep_requests_total{route="internal",status="2xx"}' in answer.body
    assert ALICE.encode() not in answer.body


async def test_public_addresses_are_not_here_nor_internal_ones_there(inside):
    key, cookie = await inside.key("all", reach=Reach.ALL), await inside.cookie(ALICE)
    for path in (
        "/auth/session",
        "/api/fanvue/chats",
        "/webhooks/fanvue",
        "/internal/v1/",
        "/internal/v2/users",
    ):
        assert (await inside.wire("GET", path, authorization=key, cookie=cookie)).status == 404
    for path in ("/internal/v1/session", "/internal/v1/users", "/metrics"):
        assert (await inside.site("GET", path, authorization=key, cookie=cookie)).status == 404


async def test_a_database_that_is_gone_means_503_and_never_a_key_that_is_believed(inside, monkeypatch):
    key = await inside.key("listChats", reach=Reach.ALL)

    async def gone(work):
        raise StorageUnavailable

    monkeypatch.setattr(inside.site.database, "read", gone)
    answer = await inside.get(f"/users/{ALICE}/fanvue/chats", key)
    assert (answer.status, answer.json["error"]) == (503, "storage_unavailable")


async def test_use_and_refusal_are_logged_with_the_key_s_id_and_never_its_secret(inside, lines):
    key = await inside.key("listChats", reach=Reach.LISTED, listed=frozenset({ALICE}))
    key_id, secret = key.partition("_sk_")[2][:12], key[-43:]
    await inside.get(f"/users/{ALICE}/fanvue/chats", key)
    await inside.get(f"/users/{BOB}/fanvue/chats", key)
    await inside.get(f"/users/{ALICE}/fanvue/chats", key[:-2] + "AA")
    written = lines()
    used, refused, unknown = [line for line in written if line["event"] == "request"]
    assert (used["service_key"], used["user"], used["operation"]) == (key_id, ALICE, "listChats")
    assert (refused["service_key"], refused["user"], refused["status"]) == (key_id, BOB, 403)
    assert "service_key" not in unknown
    reasons = [line["error"]["reason"] for line in written if "error" in line and "reason" in line["error"]]
    assert reasons == ["user"]
    (wrong,) = [line for line in written if line["event"] == "service_key_refused"]
    assert (wrong["service_key"], wrong["reason"]) == (key_id, "wrong")
    assert secret[:20] not in str(written)
