import dataclasses

import pytest

from fankeep.errors import ConfigurationError


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("client_id", ""),
        ("client_id", "a\nb"),
        ("client_id", "x" * 257),
        ("redirect_uri", "http://app.example/auth/callback"),
        ("redirect_uri", "https://app.example/auth/callback#x"),
        ("scopes", ()),
        ("scopes", ("openid", "openid")),
        ("scopes", ("openid offline",)),
        ("scopes", ("",)),
    ],
)
def test_a_registration_that_cannot_be_sent_is_refused(client, member, value):
    with pytest.raises(ConfigurationError):
        dataclasses.replace(client, **{member: value})
