import asyncio
import hmac
import json
import time
from ipaddress import ip_network

import pytest

from fankeep.errors import (
    HostileInputError,
    RetryableError,
    StorageError,
    StorageUnavailable,
    VerificationError,
)
from fankeep.fanvue import WebhookSecret, sign_webhook
from fankeep.gateway import Limits
from fankeep.policy import TrustedProxies
from fankeep.secret import Secret
from fankeep.telemetry import metrics

BODY = json.dumps({"id": "evt_1", "type": "creator.message.received", "data": {}}).encode()


async def deliver(site, secret, body=BODY, *, at=None, to="/webhooks/fanvue", **headers):
    signature = sign_webhook(body, secret, timestamp=int(time.time()) if at is None else at)
    own = {"content_type": "application/json", "x_fanvue_signature": signature}
    return await site("POST", to, body, **{**own, **headers})


async def test_a_genuine_delivery_is_stored_and_then_confirmed(site, webhook_secret):
    answer = await deliver(site, webhook_secret)
    assert (answer.status, answer.json) == (200, {"status": "stored"})
    assert answer.one("cache-control") == "no-store"
    assert [one.body for one in site.inbox.accepted] == [BODY]


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"'])
async def test_json_in_utf_8_may_say_so(site, webhook_secret, kind):
    assert (await deliver(site, webhook_secret, content_type=kind)).status == 200


async def test_the_signature_is_over_the_exact_bytes(site, webhook_secret):
    odd = b'{ "id" :"evt_2","type":\t"x" , "data":{}}\n'
    assert (await deliver(site, webhook_secret, odd)).status == 200
    assert site.inbox.accepted[0].body == odd


@pytest.mark.parametrize(
    "headers",
    [
        {"x_fanvue_signature": None},
        {"x_fanvue_signature": ""},
        {"x_fanvue_signature": "t=1,v0=" + "0" * 64},
        {"x_fanvue_signature": "nonsense"},
        {"x_fanvue_signature": ["t=1,v0=" + "0" * 64] * 2},
        {"x_fanvue_signature": "t=1,v0=\xff"},
    ],
)
async def test_a_delivery_that_fanvue_did_not_sign_is_unauthorised(site, webhook_secret, headers):
    answer = await deliver(site, webhook_secret, **headers)
    assert answer.status == 401
    assert answer.json == {"error": "invalid_signature", "message": "The signature does not verify."}
    assert site.inbox.accepted == []


@pytest.mark.parametrize("shift", [-400, 400])
async def test_a_rightly_signed_delivery_from_another_time_is_refused_and_alarms(site, webhook_secret, shift):
    def alarms():
        return metrics.REGISTRY.get_sample_value("fankeep_alarms_total", {"alarm": "webhook_stale"}) or 0

    before, at = alarms(), int(time.time()) + shift
    assert (await deliver(site, webhook_secret, at=at)).status == 401
    assert alarms() == before + 1
    assert site.inbox.accepted == []
    assert site.late == ([at] if shift < 0 else [])  # who came too late may have missed others as well


async def test_an_address_that_sent_sixty_forgeries_is_not_read_any_more(open_site, webhook_secret):
    proxies = TrustedProxies((ip_network("127.0.0.1/32"),))
    async with open_site(proxies=proxies) as site:
        wrong = "another secret that is long enough"
        forged = [await deliver(site, wrong, x_forwarded_for="9.9.9.9") for _ in range(61)]
        genuine = await deliver(site, webhook_secret, x_forwarded_for="8.8.4.4")
        held = await deliver(site, webhook_secret, x_forwarded_for="9.9.9.9")

    assert [answer.status for answer in forged] == [401] * 60 + [429]
    assert (genuine.status, held.status) == (200, 429)
    assert 1 <= int(held.one("retry-after")) <= 60
    assert held.body == forged[-1].body
    assert held.json["error"] == "too_many_refused"


async def test_whoever_signs_rightly_and_too_late_is_not_held_back(open_site, webhook_secret):
    proxies = TrustedProxies((ip_network("127.0.0.1/32"),))
    async with open_site(proxies=proxies) as site:
        late = [await deliver(site, webhook_secret, at=5, x_forwarded_for="8.8.4.4") for _ in range(61)]
        fresh = await deliver(site, webhook_secret, x_forwarded_for="8.8.4.4")

    assert {answer.status for answer in late} == {401}
    assert fresh.status == 200


async def test_every_refusal_of_a_kind_has_the_same_body(site, webhook_secret):
    answers = [
        await deliver(site, webhook_secret, x_fanvue_signature=None),
        await deliver(site, "another secret that is long enough"),
        await deliver(site, webhook_secret, at=5),
    ]
    assert len({answer.body for answer in answers}) == 1


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_only_post_delivers(site, method):
    answer = await site(method, "/webhooks/fanvue")
    assert (answer.status, answer.one("allow")) == (405, "POST")


@pytest.mark.parametrize(
    "headers",
    [
        {"content_type": None},
        {"content_type": "text/plain"},
        {"content_type": "application/jsonp"},
        {"content_type": "application/json; charset=latin-1"},
        {"content_encoding": "gzip"},
        {"content_encoding": "identity"},
    ],
)
async def test_only_plain_json_is_read(site, webhook_secret, headers):
    answer = await deliver(site, webhook_secret, **headers)
    assert (answer.status, answer.json["error"]) == (415, "unsupported_media_type")
    assert site.inbox.accepted == []


async def test_two_content_types_are_refused(site, webhook_secret):
    answer = await deliver(site, webhook_secret, content_type=["application/json", "application/json"])
    assert answer.status == 400


async def test_a_large_body_is_refused_before_it_is_read(site, make_answer):
    head = (
        f"POST /webhooks/fanvue HTTP/1.1\r\nhost: {site.host}\r\ncontent-type: application/json\r\n"
        "content-length: 1000000\r\n\r\n"
    )
    answer = make_answer(await site.raw(head.encode()))
    assert (answer.status, answer.json["error"]) == (413, "body_too_large")


async def test_a_large_body_that_is_not_announced_is_cut_off(site, make_answer):
    head = (
        f"POST /webhooks/fanvue HTTP/1.1\r\nhost: {site.host}\r\ncontent-type: application/json\r\n"
        "transfer-encoding: chunked\r\nconnection: close\r\n\r\n"
    )
    answer = make_answer(
        await site.raw(head.encode() + (b"400\r\n" + b"x" * 1024 + b"\r\n") * 8 + b"0\r\n\r\n")
    )
    assert answer.status == 413


@pytest.fixture
async def impatient(open_site):
    """A site that waits no longer than half a second for the next piece of a body."""
    async with open_site(limits=Limits(receive=0.5)) as running:
        yield running


async def test_a_body_that_stops_coming_times_out(impatient, make_answer):
    site = impatient
    head = (
        f"POST /webhooks/fanvue HTTP/1.1\r\nhost: {site.host}\r\ncontent-type: application/json\r\n"
        'content-length: 100\r\n\r\n{"half":'
    )
    began = time.monotonic()
    answer = make_answer(await site.raw(head.encode()))
    assert (answer.status, answer.json["error"]) == (408, "body_too_slow")
    assert time.monotonic() - began < 9  # without the limit of this site it takes ten seconds


async def test_a_sender_who_leaves_half_way_changes_nothing(site):
    head = (
        f"POST /webhooks/fanvue HTTP/1.1\r\nhost: {site.host}\r\ncontent-type: application/json\r\n"
        'content-length: 100\r\n\r\n{"half":'
    )
    _, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(head.encode())
    await writer.drain()
    await asyncio.sleep(0.05)
    writer.transport.abort()
    await asyncio.sleep(0.1)
    assert (await site("GET", "/healthz")).status == 200
    assert site.inbox.accepted == []


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (VerificationError("wrong_scope"), 401, "invalid_signature"),
        (HostileInputError("not_json"), 400, "invalid_request"),
        (RetryableError("full", retry_after=5), 503, "try_again"),
        (StorageUnavailable(), 503, "try_again"),
        (StorageError(), 500, "try_again"),
        (RuntimeError("hunter2"), 500, "error"),
    ],
)
async def test_what_could_not_be_stored_is_not_confirmed(site, webhook_secret, error, status, code):
    site.inbox.fails = error
    answer = await deliver(site, webhook_secret)
    assert (answer.status, answer.json["error"]) == (status, code)
    assert b"hunter2" not in answer.body
    if isinstance(error, RetryableError):
        assert int(answer.one("retry-after")) >= 1


async def test_a_repeat_is_confirmed_like_the_first_and_counted_apart(site, webhook_secret):
    def duplicates():
        return metrics.REGISTRY.get_sample_value("fankeep_webhooks_total", {"outcome": "duplicate"}) or 0

    before = duplicates()
    first, second = [await deliver(site, webhook_secret) for _ in range(2)]
    assert (first.status, first.body) == (second.status, second.body)
    assert duplicates() == before + 1


async def test_stored_deliveries_are_one_line_for_all_and_refused_ones_a_line_each(
    site, webhook_secret, lines, monkeypatch
):
    monkeypatch.setattr("fankeep.gateway.webhooks._TALLY_SECONDS", 3.0)
    for number in range(3):
        await deliver(site, webhook_secret, b'{"number": %d}' % number)
    await deliver(site, webhook_secret, b'{"number": 0}')
    await deliver(site, "another signing secret altogether")
    async with asyncio.timeout(30):
        while not any(line["event"] == "deliveries_stored" for line in lines()):
            await asyncio.sleep(0.05)

    told = lines()
    (stored,) = [line for line in told if line["event"] == "deliveries_stored"]
    assert (stored["accepted"], stored["duplicate"]) == (3, 1)
    assert "reference" not in stored
    (request,) = [line for line in told if line["event"] == "request"]
    assert (request["route"], request["status"]) == ("webhook", 401)
    assert [line["event"] for line in told if "error" in line] == ["webhook_refused"]


def counted(name, **labels):
    return metrics.REGISTRY.get_sample_value(f"{name}_total", labels) or 0


async def test_refusals_are_counted_by_their_reason(site, webhook_secret):
    deliveries = {
        "mismatch": lambda: deliver(site, "another signing secret altogether"),
        "stale": lambda: deliver(site, webhook_secret, at=5),
        "no_header": lambda: deliver(site, webhook_secret, x_fanvue_signature=None),
        "unsupported_media_type": lambda: deliver(site, webhook_secret, content_type="text/plain"),
        "method_not_allowed": lambda: site("GET", "/webhooks/fanvue"),
    }
    for reason, send in deliveries.items():
        before = counted("fankeep_webhook_refusals", reason=reason)
        await send()
        assert counted("fankeep_webhook_refusals", reason=reason) == before + 1


async def test_accepted_deliveries_are_counted_by_the_secret_that_matched(open_site, monkeypatch):
    monkeypatch.setattr("fankeep.gateway.webhooks._TALLY_SECONDS", 0.05)
    secrets = [
        WebhookSecret(name, Secret(f"the signing secret {name} of this test")) for name in ("a1", "b2")
    ]
    async with open_site(webhook_secrets=secrets) as site:
        for secret, number in ((secrets[0], 1), (secrets[1], 2)):
            for _ in range(number):
                await deliver(site, secret.value)
        async with asyncio.timeout(30):
            while counted("fankeep_webhook_secrets", secret="b2") < 2:
                await asyncio.sleep(0.01)
    assert counted("fankeep_webhook_secrets", secret="a1") == 1


async def test_how_a_secret_is_read_and_how_old_a_delivery_may_be_are_settings(open_site):
    shown, at = "whsec_" + "ab" * 32, int(time.time()) - 600
    signature = f"t={at},v0=" + hmac.digest(b"\xab" * 32, b"%d." % at + BODY, "sha256").hex()
    secrets = [WebhookSecret("main", Secret(shown))]
    statuses = []
    for readings, tolerance in ((("hex",), 900), (("literal",), 900), (("hex",), 300)):
        changes = {"webhook_readings": readings, "webhook_tolerance": tolerance}
        async with open_site(webhook_secrets=secrets, **changes) as site:
            statuses.append((await deliver(site, shown, x_fanvue_signature=signature)).status)
    assert statuses == [200, 401, 401]


SUBSCRIPTION = "the secret of one subscription, of which nobody else knows"


@pytest.fixture
def subscribed(site, user):
    """The path of a subscription's address."""
    site.subscriptions.secrets["abc"] = WebhookSecret("abc", Secret(SUBSCRIPTION), f"creator:{user}")
    return "/webhooks/fanvue/abc"


async def test_at_the_address_of_a_subscription_its_secret_counts_and_no_other(
    site, subscribed, webhook_secret, user
):
    before = counted("fankeep_webhook_refusals", reason="mismatch")
    assert (await deliver(site, webhook_secret, to=subscribed)).status == 401
    assert (await deliver(site, SUBSCRIPTION)).status == 401
    assert counted("fankeep_webhook_refusals", reason="mismatch") == before + 2
    answer = await deliver(site, SUBSCRIPTION, to=subscribed)
    assert (answer.status, answer.json) == (200, {"status": "stored"})
    assert [(one.secret_name, one.scope) for one in site.inbox.accepted] == [("abc", f"creator:{user}")]


@pytest.mark.parametrize("name", ["", "abd", "abc/", "abc/x", "%61bc", "a%00c", "\xff", "x" * 4000])
async def test_an_address_of_no_subscription_answers_as_a_wrong_signature_does(
    site, subscribed, webhook_secret, name
):
    refused = await deliver(site, "another signing secret altogether", to=subscribed)
    for secret in (SUBSCRIPTION, webhook_secret):
        answer = await deliver(site, secret, to=f"/webhooks/fanvue/{name}")
        assert (answer.status, answer.body) == (401, refused.body)
    assert site.inbox.accepted == []


async def test_a_subscription_that_cannot_be_looked_up_is_tried_again_later(site, subscribed):
    site.subscriptions.fails = StorageUnavailable()
    assert (await deliver(site, SUBSCRIPTION, to=subscribed)).status == 503


async def test_what_subscriptions_sign_is_counted_together(site, subscribed, monkeypatch):
    monkeypatch.setattr("fankeep.gateway.webhooks._TALLY_SECONDS", 0.05)
    before = counted("fankeep_webhook_secrets", secret="subscription")
    await deliver(site, SUBSCRIPTION, to=subscribed)
    async with asyncio.timeout(30):
        while counted("fankeep_webhook_secrets", secret="subscription") == before:
            await asyncio.sleep(0.01)
    assert counted("fankeep_webhook_secrets", secret="abc") == 0


async def test_no_session_and_no_origin_is_asked_of_a_delivery(site, webhook_secret):
    answer = await deliver(site, webhook_secret, sec_fetch_site="cross-site", origin="https://evil.example")
    assert answer.status == 200


async def test_a_body_that_trickles_times_out_as_well(impatient, make_answer):
    site = impatient
    head = (
        f"POST /webhooks/fanvue HTTP/1.1\r\nhost: {site.host}\r\ncontent-type: application/json\r\n"
        "content-length: 1000\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    answer = asyncio.create_task(reader.read())
    writer.write(head.encode())
    began = time.monotonic()
    while not answer.done() and time.monotonic() - began < 9:  # each piece within the 0.5 s of a next one
        writer.write(b"x")
        await asyncio.sleep(0.1)
    writer.close()
    assert answer.done()
    assert make_answer(await answer).status == 408


@pytest.mark.parametrize("chunk", [b"1\nx\n0\n\n", b"ffffffffffffffff1\r\nx\r\n0\r\n\r\n", b"zz\r\n"])
async def test_a_body_with_broken_framing_gets_the_answer_of_a_malformed_request(site, make_answer, chunk):
    head = (
        f"POST /webhooks/fanvue HTTP/1.1\r\nhost: {site.host}\r\ncontent-type: application/json\r\n"
        "transfer-encoding: chunked\r\nconnection: close\r\n\r\n"
    )
    answer = make_answer(await site.raw(head.encode() + chunk))
    assert (answer.status, answer.json["error"]) == (400, "invalid_request")
    assert site.inbox.accepted == []
