"""Chains of tokens, rule by rule, with an explicit clock."""

import pytest

from fankeep.sandbox import GraceAnswer, RevokeSpent, SandboxSettings, Switches
from fankeep.sandbox.refusals import Refusal, RefusalKind
from fankeep.sandbox.tokens import EndReason, TokenBook

SCOPES = frozenset({"openid", "offline_access", "offline", "read:self", "read:chat"})


class Chains:
    """A token book with the arguments that hardly ever matter filled in."""

    def __init__(self, authorization, start, **settings):
        self.book = TokenBook(SandboxSettings(**settings))
        self.authorization = authorization
        self.start = start

    def connect(self, code="code-1", **changes):
        return self.book.start(self.authorization(**changes), code, now=self.start)

    def refresh(self, pair, after=0.0, **changes):
        given = {"client_id": pair.access.chain.authorization.client_id, "app_scopes": SCOPES, "scope": None}
        return self.book.rotate(pair.refresh.value, now=self.start + after, **{**given, **changes})

    def refusal(self, pair, after=0.0, **changes):
        with pytest.raises(Refusal) as caught:
            self.refresh(pair, after, **changes)
        return caught.value

    def live(self, pair, after=0.0):
        return self.book.access_token(pair.access.value, now=self.start + after) is not None


@pytest.fixture
def chains(authorization, start):
    return lambda **settings: Chains(authorization, start, **settings)


def test_an_access_token_lives_as_long_as_it_was_configured_to(chains):
    book = chains(access_token_lifetime=120)
    pair = book.connect()
    assert pair.expires_in == 120
    assert book.live(pair, 119.9)
    assert not book.live(pair, 120)


def test_rotation_gives_a_new_pair_and_kills_the_access_token_of_the_spent_one(chains):
    book = chains()
    first = book.connect()
    second = book.refresh(first, 10)
    assert second.refresh.value != first.refresh.value
    assert not book.live(first, 10)
    assert book.live(second, 10)


def test_a_repeat_within_the_grace_gets_a_pair_of_its_own(chains):
    book = chains()
    first = book.connect()
    second, repeat = book.refresh(first), book.refresh(first, 29.9)
    assert repeat.refresh.value != second.refresh.value
    assert book.live(second, 29.9)
    assert book.live(repeat, 29.9)
    assert book.refresh(second, 31).refresh
    assert book.refresh(repeat, 31).refresh


def test_the_grace_starts_at_the_first_use_and_repeats_do_not_extend_it(chains):
    book = chains()
    first = book.connect()
    book.refresh(first)
    book.refresh(first, 29)
    assert book.refusal(first, 30).kind is RefusalKind.INVALID_GRANT


def test_a_repeat_after_the_grace_revokes_the_whole_chain_in_hydras_words(chains):
    book = chains()
    first = book.connect()
    second = book.refresh(first)
    refusal = book.refusal(first, 30)
    assert refusal.fields["error"] == "invalid_grant"
    assert refusal.description.endswith("The refresh token was already used.")
    assert second.access.chain.ended is EndReason.REUSE
    assert not book.live(second, 30)
    assert book.refusal(second, 31).kind is RefusalKind.INVALID_GRANT


def test_the_number_of_repeats_can_be_limited(chains):
    book = chains(switches=Switches(grace_repeats=1))
    first = book.connect()
    book.refresh(first)
    book.refresh(first, 1)
    assert book.refusal(first, 2).kind is RefusalKind.INVALID_GRANT


def test_a_repeat_can_be_made_to_get_the_same_pair(chains):
    book = chains(switches=Switches(grace_answer=GraceAnswer.SAME_PAIR))
    first = book.connect()
    assert book.refresh(first) == book.refresh(first, 5)


def test_a_repeat_can_be_made_to_revoke_the_earlier_pair(chains):
    book = chains(switches=Switches(grace_answer=GraceAnswer.OWN_PAIR_EARLIER_REVOKED))
    first = book.connect()
    second, repeat = book.refresh(first), book.refresh(first, 5)
    assert not book.live(second, 5)
    assert book.live(repeat, 5)
    assert book.refusal(second, 6).kind is RefusalKind.INVALID_GRANT


def test_a_refresh_token_expires(chains):
    book = chains(refresh_token_lifetime=1000)
    pair = book.connect()
    assert book.refusal(pair, 1000).description.endswith("The refresh token expired.")


def test_a_refresh_may_name_granted_scopes_only(chains):
    book = chains()
    pair = book.connect()
    assert book.refusal(pair, scope="openid write:chat").kind is RefusalKind.INVALID_SCOPE
    assert book.refresh(pair, scope="openid").refresh


def test_a_scope_that_left_the_app_stops_the_refresh_without_spending_the_token(chains):
    book = chains()
    pair = book.connect(scopes=("openid", "offline_access", "read:chat"))
    refusal = book.refusal(pair, app_scopes=SCOPES - {"read:chat"})
    assert refusal.kind is RefusalKind.INVALID_SCOPE
    assert pair.refresh.uses == 0
    assert book.refresh(pair).refresh


def test_another_app_cannot_use_a_refresh_token_and_does_not_spend_it(chains):
    book = chains()
    pair = book.connect()
    refusal = book.refusal(pair, client_id="4b9f6a52-6d7b-4a34-9a57-2f0b7f0a4e02")
    assert refusal.kind is RefusalKind.INVALID_GRANT
    assert pair.refresh.uses == 0


def test_an_unknown_refresh_token_is_an_invalid_grant(chains):
    book = chains()
    with pytest.raises(Refusal) as caught:
        book.book.rotate("ory_rt_none", client_id="x", app_scopes=SCOPES, scope=None, now=0)
    assert caught.value.kind is RefusalKind.INVALID_GRANT


def test_without_offline_access_there_is_no_refresh_token(chains):
    for scopes in (("openid", "read:self"), ("openid", "offline", "read:self")):
        assert chains().connect(scopes=scopes).refresh is None
    assert chains().connect(scopes=("offline_access",)).refresh


def test_offline_alone_can_be_made_to_bring_a_refresh_token(chains):
    book = chains(switches=Switches(offline_suffices=True))
    assert book.connect(scopes=("openid", "offline")).refresh
    assert book.connect(scopes=("openid", "read:self")).refresh is None


def test_a_second_authorization_is_a_chain_of_its_own(chains):
    book = chains()
    first, second = book.connect("code-1"), book.connect("code-2")
    book.refresh(first)
    book.refusal(first, 60)
    assert not first.access.chain.live(book.start + 60)
    assert book.live(second, 60)
    assert book.refresh(second, 60).refresh


def test_a_reconnect_can_be_made_to_come_without_a_refresh_token(chains):
    book = chains(switches=Switches(refresh_token_on_reconnect=False))
    assert book.connect().refresh is not None
    assert book.connect("code-2", reconnect=True).refresh is None


def test_revoking_the_newest_refresh_token_ends_the_chain(chains):
    book = chains()
    first = book.connect()
    second = book.refresh(first)
    book.book.revoke(
        second.refresh.value, client_id=first.access.chain.authorization.client_id, now=book.start
    )
    assert second.access.chain.ended is EndReason.REVOKED
    assert not book.live(second)


def test_revoking_an_access_token_ends_the_chain(chains):
    book = chains()
    pair = book.connect()
    book.book.revoke(pair.access.value, client_id=pair.access.chain.authorization.client_id, now=book.start)
    assert pair.access.chain.ended is EndReason.REVOKED


def test_revoking_a_spent_refresh_token_changes_nothing(chains):
    book = chains()
    first = book.connect()
    second = book.refresh(first)
    book.book.revoke(
        first.refresh.value, client_id=first.access.chain.authorization.client_id, now=book.start
    )
    assert book.live(second)


def test_revoking_a_spent_refresh_token_can_be_made_to_end_its_chain(chains):
    book = chains(switches=Switches(revoke_spent=RevokeSpent.CHAIN))
    first, other = book.connect("code-1"), book.connect("code-2")
    second = book.refresh(first)
    client_id = first.access.chain.authorization.client_id
    assert book.book.revoke(first.refresh.value, client_id=client_id, now=book.start) is None
    assert not book.live(second)
    assert book.live(other)


def test_revoking_a_spent_refresh_token_can_be_made_to_name_the_consent_that_goes_with_it(chains):
    book = chains(switches=Switches(revoke_spent=RevokeSpent.CONSENT))
    first = book.connect()
    book.refresh(first)
    authorization = first.access.chain.authorization
    gone = book.book.revoke(first.refresh.value, client_id=authorization.client_id, now=book.start)
    assert gone == authorization


def test_another_app_cannot_revoke_a_token(chains):
    book = chains()
    pair = book.connect()
    with pytest.raises(Refusal) as caught:
        book.book.revoke(pair.refresh.value, client_id="someone-else", now=book.start)
    assert caught.value.kind is RefusalKind.UNAUTHORIZED_CLIENT
    assert book.live(pair)


def test_revoking_an_unknown_token_is_no_error(chains):
    book = chains()
    pair = book.connect()
    book.book.revoke("ory_rt_none", client_id="x", now=book.start)
    assert book.live(pair)


def test_withdrawn_consent_ends_every_chain_between_creator_and_app(chains):
    book = chains()
    first, second = book.connect("code-1"), book.connect("code-2")
    other = book.connect("code-3", creator="5939ae62-3eb5-4433-954f-f78c7b4282f3")
    authorization = first.access.chain.authorization
    ended = book.book.withdraw(creator=authorization.creator, client_id=authorization.client_id)
    assert ended == 2
    assert not book.live(first)
    assert not book.live(second)
    assert book.live(other)
    assert book.refusal(first).kind is RefusalKind.INVALID_GRANT


def test_a_code_that_is_presented_again_kills_the_tokens_it_gave(chains):
    book = chains()
    pair = book.connect("code-1")
    book.book.code_reused("code-1")
    assert pair.access.chain.ended is EndReason.CODE_REUSE
    assert not book.live(pair)


def test_expiring_access_tokens_leaves_the_refresh_tokens_alive(chains):
    book = chains()
    pair = book.connect()
    assert book.book.expire_access_tokens(creator=None, now=book.start) == 1
    assert not book.live(pair)
    assert book.refresh(pair).refresh


def test_no_token_shows_in_a_repr(chains):
    book = chains()
    first = book.connect()
    second = book.refresh(first)
    shown = repr(first) + repr(second.access.chain) + repr(first.refresh)
    for token in (first.access, first.refresh, second.access, second.refresh):
        assert token.value not in shown
