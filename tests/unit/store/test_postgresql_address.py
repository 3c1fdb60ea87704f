import pytest

from fankeep.errors import ConfigurationError
from fankeep.store.postgresql_address import PostgresqlAddress

parse = PostgresqlAddress.parse


def test_everything_that_an_address_says_is_read():
    address = parse("postgresql://an%40app:pa%2Fss@db.example.com:6543/fan%20keep")
    assert (address.host, address.port, address.user, address.database) == (
        "db.example.com",
        6543,
        "an@app",
        "fan keep",
    )
    assert address.password.reveal() == "pa/ss"
    assert "pa/ss" not in repr(address)


def test_what_is_not_said_is_the_usual_port_and_no_password():
    address = parse("postgres://app@db.example.com/fankeep")
    assert (address.port, address.password) == (5432, None)


@pytest.mark.parametrize("host", ["db.example.com", "10.0.0.7", "[2001:db8::1]", "localhost.example.com"])
def test_to_another_machine_the_servers_name_is_checked_unless_it_is_switched_off(host):
    assert parse(f"postgresql://app@{host}/fankeep").verified
    assert not parse(f"postgresql://app@{host}/fankeep").open_to_the_network
    assert parse(f"postgresql://app@{host}/fankeep?sslmode=disable").open_to_the_network


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "[::1]"])
def test_on_this_machine_nothing_is_encrypted_unless_asked_for(host):
    address = parse(f"postgresql://app@{host}/fankeep")
    assert not address.verified
    assert not address.open_to_the_network
    assert address.tls() is None
    assert parse(f"postgresql://app@{host}/fankeep?sslmode=verify-full").tls() is not None


def test_the_folder_of_a_socket_is_this_machine():
    address = parse("postgresql://app@/fankeep?host=/run/postgresql")
    assert (address.host, address.verified, address.open_to_the_network) == ("/run/postgresql", False, False)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://",
        "postgresql://app:hunter2@db.example.com",
        "postgresql://app:hunter2@db.example.com/",
        "postgresql://db.example.com/hunter2",
        "postgresql://app:hunter2@/fankeep",
        "postgresql://app:hunter2@one,two/fankeep",
        "postgresql://app:hunter2@db.example.com/a/b",
        "postgresql://app:hunter2@db.example.com:port/fankeep",
        "postgresql://app:hunter2@db.example.com/fankeep#more",
        "postgresql://app:hunter2@db.example.com/fankeep?sslmode",
        "postgresql://app:hunter2@db.example.com/fankeep?sslmode=prefer",
        "postgresql://app:hunter2@db.example.com/fankeep?sslmode=require",
        "postgresql://app:hunter2@db.example.com/fankeep?pgbouncer=true",
        "postgresql://app:hunter2@localhost/fankeep?sslrootcert=/ca.pem",
        "mysql://app:hunter2@db.example.com/fankeep",
    ],
)
def test_an_address_that_does_not_fit_is_refused_in_one_line_that_repeats_none_of_it(url):
    with pytest.raises(ConfigurationError) as caught:
        parse(url)
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_root_certificate_that_cannot_be_read_is_named_as_such(tmp_path, content):
    if content:
        (tmp_path / "ca.pem").write_text(content)
    address = parse(f"postgresql://app@db.example.com/fankeep?sslrootcert={tmp_path}/ca.pem")
    with pytest.raises(ConfigurationError, match="sslrootcert"):
        address.tls()
