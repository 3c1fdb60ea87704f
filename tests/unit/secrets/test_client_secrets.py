import pytest

from fankeep.errors import ConfigurationError
from fankeep.secret import Secret
from fankeep.secrets import ClientSecret, ClientSecrets, parse_client_secrets

OLD = "0f2c4e6a8b0d1f3a5c7e9b1d3f5a7c9e"
NEW = "e9c7a5f3d1b9e7c5a3f1d0b8a6e4c2f0"


def parse(text):
    secrets = parse_client_secrets(Secret(text))
    return [(secret.name, secret.value.reveal()) for secret in secrets.candidates()]


def names(secrets):
    return [secret.name for secret in secrets.candidates()]


@pytest.fixture
def two():
    return parse_client_secrets(Secret(f"old={OLD}\nnew={NEW}"))


def test_a_secret_alone_gets_a_name():
    assert parse(OLD) == [("client-secret", OLD)]
    assert parse(f"\n {OLD} \n") == [("client-secret", OLD)]


def test_padding_belongs_to_the_secret():
    assert parse(OLD + "==") == [("client-secret", OLD + "==")]
    assert parse(f"new={OLD}==") == [("new", OLD + "==")]


def test_two_lines_are_two_versions():
    assert parse(f"old={OLD}\n\nnew={NEW}\n") == [("old", OLD), ("new", NEW)]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "one client secret, or two"),
        ("\n\n", "one client secret, or two"),
        (f"a={OLD}\nb={NEW}\nc={OLD[::-1]}", "one client secret, or two"),
        (f"a={OLD}\na={NEW}", "equal names"),
        (f"a={OLD}\nb={OLD}", "equal values"),
        (f"{OLD}\n{NEW}", "equal names"),
        (f"a={OLD}\nb={NEW[:9]}", "line 2: a secret has at least 32"),
        (OLD[:31], "line 1: a secret has at least 32"),
        (f"new one={OLD}", "line 1: a name"),
        ("a=your-client-secret-goes-here-1234", "placeholder"),
        (f'"{OLD}"', "quotation"),
        (f"{OLD} {NEW}", "visible"),
    ],
)
def test_anything_else_is_refused_and_not_shown(text, complaint):
    with pytest.raises(ConfigurationError, match=complaint) as refusal:
        parse(text)
    assert OLD[:8] not in str(refusal.value)
    assert NEW[:8] not in str(refusal.value)


def test_the_version_that_worked_last_is_tried_first(two):
    assert names(two) == ["old", "new"]
    two.worked("new")
    assert names(two) == ["new", "old"]
    two.worked("old")
    assert names(two) == ["old", "new"]


def test_a_change_of_the_version_that_works_is_reported_once(two):
    assert [two.worked(name) for name in ("old", "old", "new", "new", "old")] == [
        True,
        False,
        True,
        False,
        True,
    ]


def test_a_version_that_does_not_exist_cannot_have_worked(two):
    with pytest.raises(ValueError, match="no client secret"):
        two.worked("newest")
    assert names(two) == ["old", "new"]


def test_the_rules_hold_for_versions_made_in_code_as_well():
    with pytest.raises(ConfigurationError):
        ClientSecrets([])
    with pytest.raises(ConfigurationError, match="equal values"):
        ClientSecrets([ClientSecret("a", Secret(OLD)), ClientSecret("b", Secret(OLD))])


def test_no_value_shows_in_a_repr(two):
    assert OLD not in repr(two) + repr(two.candidates())
