import pytest

from fankeep.oauth import grammar

CHECKS = [
    grammar.is_vschar,
    grammar.is_code,
    grammar.is_bearer_token,
    grammar.is_scope_token,
    grammar.is_error_code,
    grammar.is_compact_jws,
]


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("text", ["", "a\nb", "a\r\nx: y", "a\n", "\x00", "é", "a\x7f", "x" * 20_000])
def test_nothing_that_could_add_a_header_line_or_flood_passes(check, text):
    assert not check(text)


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (grammar.is_vschar, "a b ~!"),
        (grammar.is_code, "ory_ac_Zm9v.YmFy"),
        (grammar.is_bearer_token, "ory_at_Zm9v-._~+/=="),
        (grammar.is_scope_token, "read:self"),
        (grammar.is_error_code, "invalid_grant"),
        (grammar.is_compact_jws, "eyJ.e30.c2ln"),
    ],
)
def test_the_usual_values_pass(check, text):
    assert check(text)


def test_a_bearer_token_has_no_space_and_padding_only_at_its_end():
    assert not grammar.is_bearer_token("a b")
    assert not grammar.is_bearer_token("a=b")


def test_a_scope_has_no_space_quote_or_backslash():
    assert not any(grammar.is_scope_token(text) for text in ("a b", 'a"', "a\\"))


def test_an_unsigned_token_is_no_compact_jws():
    assert not grammar.is_compact_jws("eyJ.e30.")


@pytest.mark.parametrize(
    ("check", "limit"),
    [
        (grammar.is_vschar, 16384),
        (grammar.is_code, 2048),
        (grammar.is_bearer_token, 16384),
        (grammar.is_scope_token, 256),
        (grammar.is_error_code, 256),
    ],
)
def test_every_class_has_an_upper_limit(check, limit):
    assert check("x" * limit)
    assert not check("x" * (limit + 1))


def test_a_compact_jws_has_an_upper_limit():
    assert grammar.is_compact_jws("a.b." + "x" * 16380)
    assert not grammar.is_compact_jws("a.b." + "x" * 16381)
