"""Settings: read once, complete, and refused in one line that says what to do and never shows a value."""

import json
import secrets
from ipaddress import ip_network

import pytest
from pydantic import ValidationError

from fankeep import ConfigurationError, Secret
from fankeep.fanvue.hosts import API_URL, ISSUER_URL
from fankeep.fanvue.operations import OPERATIONS
from fankeep.fanvue.scopes import FIXED_SCOPES

CREATOR = "3f0c1c1e-5a3b-4c8e-9d52-0b8f2f1c7a11"


def without(environment, *names):
    return {name: value for name, value in environment.items() if name not in names}


class TestWhatIsRead:
    def test_production_is_the_default(self, settings_from, production):
        settings = settings_from(production)

        assert settings.env == "production"
        assert not settings.development
        assert settings.issuer_url == ISSUER_URL
        assert settings.api_url == API_URL

    def test_the_redirect_uri_is_the_public_url_and_a_fixed_path(self, settings_from, production):
        assert settings_from(production).redirect_uri == "https://app.example.com/auth/callback"

    def test_the_public_url_is_spelled_the_way_browsers_spell_an_origin(self, settings_from, production):
        spelled = settings_from(production | {"FANKEEP_PUBLIC_URL": "https://App.Example.COM:443/"})

        assert spelled.public_url == "https://app.example.com"

    def test_unset_scopes_are_the_fixed_ones_and_what_the_operations_need(self, settings_from, production):
        assert set(settings_from(production).scopes) == {*FIXED_SCOPES, "read:chat"}

    def test_all_operations_are_spelled_out_in_development(self, settings_from, development):
        settings = settings_from(development | {"FANKEEP_OPERATIONS": "all"})

        assert settings.operation_ids == tuple(OPERATIONS)

    def test_no_operations_means_none(self, settings_from, production):
        assert settings_from(without(production, "FANKEEP_OPERATIONS")).operation_ids == ()

    def test_the_key_store_defaults_to_a_second_file_beside_the_data(self, settings_from, production):
        settings = settings_from(production | {"FANKEEP_DATABASE_URL": "sqlite:////srv/x.d/fankeep.db"})

        assert settings.keys_database_url.reveal() == "sqlite:////srv/x.d/fankeep-keys.db"

    def test_the_key_store_beside_a_file_without_a_suffix(self, settings_from, production):
        settings = settings_from(production | {"FANKEEP_DATABASE_URL": "sqlite:////srv/x.d/fankeep"})

        assert settings.keys_database_url.reveal() == "sqlite:////srv/x.d/fankeep-keys"

    def test_a_path_is_short_for_a_key_file(self, settings_from, production):
        assert settings_from(production | {"FANKEEP_KEYS": "/etc/keys.json"}).keys == "file:/etc/keys.json"

    def test_proxies_are_networks(self, settings_from, production):
        settings = settings_from(production | {"FANKEEP_TRUSTED_PROXIES": "127.0.0.1, 10.1.2.3/8 ::1"})

        assert settings.trusted_proxies == (
            ip_network("127.0.0.1"),
            ip_network("10.0.0.0/8"),
            ip_network("::1"),
        )

    def test_webhook_secrets_as_lines(self, settings_from, production):
        first, second = secrets.token_hex(32), secrets.token_hex(32)

        settings = settings_from(
            production | {"FANKEEP_WEBHOOK_SECRETS": f"old={first}\n\nnew@creator:{CREATOR}={second}\n"}
        )

        assert [(one.name, one.scope) for one in settings.webhook_secrets] == [
            ("old", "app"),
            ("new", f"creator:{CREATOR}"),
        ]
        assert [one.value.reveal() for one in settings.webhook_secrets] == [first, second]

    def test_webhook_secrets_as_json(self, settings_from, production):
        value = secrets.token_hex(32)

        settings = settings_from(production | {"FANKEEP_WEBHOOK_SECRETS": json.dumps({"main": value})})

        assert [(one.name, one.value.reveal()) for one in settings.webhook_secrets] == [("main", value)]

    def test_secrets_are_read_literally_and_times_may_be_five_minutes_off(self, settings_from, production):
        settings = settings_from(production)

        assert (settings.webhook_secret_format, settings.webhook_tolerance) == (("literal",), 300)

    def test_other_readings_and_another_tolerance(self, settings_from, production):
        settings = settings_from(
            production | {"FANKEEP_WEBHOOK_SECRET_FORMAT": "hex literal", "FANKEEP_WEBHOOK_TOLERANCE": "3600"}
        )

        assert (settings.webhook_secret_format, settings.webhook_tolerance) == (("hex", "literal"), 3600)

    def test_personal_fields_are_kept_by_name(self, settings_from, production):
        settings = settings_from(production | {"FANKEEP_KEEP_FIELDS": "*message.received:text, *:handle"})
        assert settings.keep_fields == ("*message.received:text", "*:handle")
        assert settings_from(production).keep_fields == ()

    def test_events_are_handled_in_any_order_unless_asked_otherwise(self, settings_from, production):
        assert settings_from(production).event_order == "any"
        more = {"ORDER": "creator", "TIMEOUT": "120", "CONCURRENCY": "4", "TRIES": "5"}
        settings = settings_from(production | {f"FANKEEP_EVENT_{name}": more[name] for name in more})
        assert (settings.event_order, settings.event_timeout) == ("creator", 120)
        assert (settings.event_concurrency, settings.event_tries) == (4, 5)

    def test_arguments_win_over_the_environment(self, settings_from, production):
        assert settings_from(production, client_id="mine").client_id == "mine"

    def test_an_empty_variable_is_an_unset_one(self, settings_from, production):
        settings = settings_from(production | {"FANKEEP_PORT": "", "FANKEEP_UPSTREAM_URL": "  "})

        assert settings.port == 8080
        assert settings.upstream_url is None

    def test_a_secret_may_lie_in_a_file(self, settings_from, production, tmp_path, good_secret):
        path = tmp_path / "client-secret"
        path.write_text(good_secret)
        path.chmod(0o600)
        environment = without(production, "FANKEEP_CLIENT_SECRET") | {"FANKEEP_CLIENT_SECRET_FILE": str(path)}

        assert settings_from(environment).client_secret.reveal() == good_secret

    def test_the_environment_is_read_once(self, settings_from, production, monkeypatch):
        settings = settings_from(production)
        monkeypatch.setenv("FANKEEP_CLIENT_ID", "changed")

        assert settings.client_id == production["FANKEEP_CLIENT_ID"]

    def test_settings_do_not_change(self, settings_from, production):
        settings = settings_from(production)

        with pytest.raises(ValidationError, match="frozen"):
            settings.client_id = "other"

    def test_no_secret_is_shown_by_repr(self, settings_from, production, good_secret):
        shown = repr(settings_from(production))

        assert good_secret not in shown
        assert production["FANKEEP_WEBHOOK_SECRETS"].partition("=")[2] not in shown
        assert "Secret(***)" in shown

    def test_secrets_are_secrets(self, settings_from, production):
        settings = settings_from(production)

        assert isinstance(settings.client_secret, Secret)
        assert isinstance(settings.database_url, Secret)
        assert isinstance(settings.webhook_secrets[0].value, Secret)


# name, value, how the one line begins
REFUSED_EVERYWHERE = [
    ("FANKEEP_ENV", "staging", "FANKEEP_ENV must be 'production' or 'development'"),
    ("FANKEEP_PUBLIC_URL", "app.example.com", "FANKEEP_PUBLIC_URL must be a scheme and a host"),
    ("FANKEEP_PUBLIC_URL", "https://app.example.com/path", "FANKEEP_PUBLIC_URL must be a scheme and a host"),
    ("FANKEEP_PUBLIC_URL", "https://user@app.example.com", "FANKEEP_PUBLIC_URL must be a scheme and a host"),
    ("FANKEEP_PUBLIC_URL", "https://app.example.com?x=1", "FANKEEP_PUBLIC_URL must be a scheme and a host"),
    ("FANKEEP_PUBLIC_URL", "https://app.example.com:99999", "FANKEEP_PUBLIC_URL must be a scheme and a host"),
    ("FANKEEP_PUBLIC_URL", "https://[::1", "FANKEEP_PUBLIC_URL must be a scheme and a host"),
    ("FANKEEP_PUBLIC_URL", "ftp://app.example.com", "FANKEEP_PUBLIC_URL must be a scheme and a host"),
    ("FANKEEP_CLIENT_ID", "two words", "FANKEEP_CLIENT_ID must be the client id"),
    ("FANKEEP_CLIENT_SECRET", "0123456789abcdef", "FANKEEP_CLIENT_SECRET, line 1: a secret has at least"),
    (
        "FANKEEP_CLIENT_SECRET",
        "your-client-secret-goes-here-12345",
        "FANKEEP_CLIENT_SECRET, line 1: this is a",
    ),
    ("FANKEEP_CLIENT_SECRET", "x" * 64, "FANKEEP_CLIENT_SECRET, line 1: this is a placeholder"),
    (
        "FANKEEP_CLIENT_SECRET",
        f"{'0123456789abcdef' * 2} x",
        "FANKEEP_CLIENT_SECRET, line 1: a secret is made of",
    ),
    (
        "FANKEEP_CLIENT_SECRET",
        f"\ufeff{'0123456789abcdef' * 2}",
        "FANKEEP_CLIENT_SECRET, line 1: a secret is",
    ),
    ("FANKEEP_WEBHOOK_SECRETS", "whsec_without_a_name", "FANKEEP_WEBHOOK_SECRETS, line 1: "),
    ("FANKEEP_WEBHOOK_SECRETS", "{not json", "FANKEEP_WEBHOOK_SECRETS"),
    ("FANKEEP_WEBHOOK_SECRETS", "{}", "FANKEEP_WEBHOOK_SECRETS holds no secret"),
    ("FANKEEP_WEBHOOK_SECRETS", "main=whsec_short", "FANKEEP_WEBHOOK_SECRETS, line 1: a secret has at least"),
    ("FANKEEP_WEBHOOK_SECRET_FORMAT", "utf-8", "FANKEEP_WEBHOOK_SECRET_FORMAT must be of the words literal"),
    ("FANKEEP_WEBHOOK_SECRET_FORMAT", ", ,", "FANKEEP_WEBHOOK_SECRET_FORMAT must be of the words literal"),
    ("FANKEEP_WEBHOOK_TOLERANCE", "0", "FANKEEP_WEBHOOK_TOLERANCE must be a number of seconds from 1"),
    ("FANKEEP_WEBHOOK_TOLERANCE", "2592001", "FANKEEP_WEBHOOK_TOLERANCE must be a number of seconds from 1"),
    ("FANKEEP_WEBHOOK_TOLERANCE", "5 min", "FANKEEP_WEBHOOK_TOLERANCE must be a number of seconds from 1"),
    ("FANKEEP_ISSUER_URL", "http://auth.example.com", "FANKEEP_ISSUER_URL must be https"),
    ("FANKEEP_API_URL", "http://api.example.com", "FANKEEP_API_URL must be https"),
    (
        "FANKEEP_OPERATIONS",
        "readEverything",
        "FANKEEP_OPERATIONS names an operation that the API does not have",
    ),
    (
        "FANKEEP_OPERATIONS",
        "getCurentUser listChats read:self",
        "FANKEEP_OPERATIONS names an operation that the API does not have; did you mean getCurrentUser?",
    ),
    ("FANKEEP_SCOPES", "read:everything", "FANKEEP_SCOPES names a scope that Fanvue does not have"),
    (
        "FANKEEP_SCOPES",
        "read:chats",
        "FANKEEP_SCOPES names a scope that Fanvue does not have; did you mean read:chat?",
    ),
    ("FANKEEP_DATABASE_URL", "mysql://x/y", "FANKEEP_DATABASE_URL must be the address of a database file"),
    ("FANKEEP_DATABASE_URL", "sqlite:///", "FANKEEP_DATABASE_URL must be the address of a database file"),
    ("FANKEEP_UPSTREAM_URL", "app:3000", "FANKEEP_UPSTREAM_URL must be a scheme and a host"),
    (
        "FANKEEP_FORWARD_URL",
        "https://app.example.com/?q",
        "FANKEEP_FORWARD_URL must be an address without a query",
    ),
    (
        "FANKEEP_FORWARD_URL",
        "https://app.example.com/events",
        "FANKEEP_FORWARD_SECRET and FANKEEP_FORWARD_URL",
    ),
    (
        "FANKEEP_FORWARD_SECRET",
        "0123456789abcdef" * 2,
        "FANKEEP_FORWARD_SECRET and FANKEEP_FORWARD_URL",
    ),
    ("FANKEEP_KEEP_FIELDS", "text", "FANKEEP_KEEP_FIELDS must be words like creator.message.received:text"),
    ("FANKEEP_KEEP_FIELDS", "a.b:text", "FANKEEP_KEEP_FIELDS names a type of event that there is not"),
    (
        "FANKEEP_KEEP_FIELDS",
        "*:handle *:texd",
        "FANKEEP_KEEP_FIELDS names a field that no such event has; did you mean text?",
    ),
    ("FANKEEP_EVENT_ORDER", "time", "FANKEEP_EVENT_ORDER must be 'any' or 'creator'"),
    ("FANKEEP_EVENT_TIMEOUT", "0", "FANKEEP_EVENT_TIMEOUT must be a number from 1 to 3600"),
    ("FANKEEP_EVENT_CONCURRENCY", "many", "FANKEEP_EVENT_CONCURRENCY must be a number from 1 to 1000"),
    ("FANKEEP_EVENT_TRIES", "31", "FANKEEP_EVENT_TRIES must be a number from 1 to 30"),
    ("FANKEEP_LOGOUT", "never", "FANKEEP_LOGOUT must be 'session', 'last_session' or 'always'"),
    ("FANKEEP_HOST", "app.example.com", "FANKEEP_HOST must be an IP address"),
    ("FANKEEP_PORT", "0", "FANKEEP_PORT must be a number from 1 to 65535"),
    ("FANKEEP_PORT", "eighty", "FANKEEP_PORT must be a number from 1 to 65535"),
    ("FANKEEP_INTERNAL_PORT", "0", "FANKEEP_INTERNAL_PORT must be a number from 1 to 65535"),
    ("FANKEEP_INTERNAL_PORT", "8080", "FANKEEP_INTERNAL_PORT must be another port than FANKEEP_PORT"),
    ("FANKEEP_INTERNAL_NETWORK", "lan", "FANKEEP_INTERNAL_NETWORK must be 'loopback' or 'private'"),
    (
        "FANKEEP_INTERNAL_TLS_CERT_FILE",
        "cert.pem",
        "FANKEEP_INTERNAL_TLS_KEY_FILE and FANKEEP_INTERNAL_TLS_CERT_FILE go together",
    ),
    ("FANKEEP_TLS_CERT_FILE", "cert.pem", "FANKEEP_TLS_KEY_FILE and FANKEEP_TLS_CERT_FILE go together"),
    ("FANKEEP_TRUSTED_PROXIES", "the proxy", "FANKEEP_TRUSTED_PROXIES must be addresses or networks"),
    ("FANKEEP_TRUSTED_PROXIES", "0.0.0.0/0", "FANKEEP_TRUSTED_PROXIES must not declare the whole Internet"),
]

REFUSED_IN_PRODUCTION = [
    ("FANKEEP_PUBLIC_URL", "http://app.example.com", "FANKEEP_PUBLIC_URL must be https"),
    (
        "FANKEEP_PUBLIC_URL",
        "https://localhost",
        "FANKEEP_PUBLIC_URL must be https and no name of this machine",
    ),
    ("FANKEEP_ISSUER_URL", "https://127.0.0.1:4010", "FANKEEP_ISSUER_URL must be https and no name of this"),
    ("FANKEEP_ISSUER_URL", "http://localhost:4010", "FANKEEP_ISSUER_URL must be https and no name of this"),
    ("FANKEEP_API_URL", "http://[::1]:4010", "FANKEEP_API_URL must be https and no name of this machine"),
    ("FANKEEP_OPERATIONS", "all", "FANKEEP_OPERATIONS must list the operations"),
    ("FANKEEP_SCOPES", "read:self", "FANKEEP_SCOPES does not cover what FANKEEP_OPERATIONS needs"),
    ("FANKEEP_SCOPES", "read:chat write:chat", "FANKEEP_SCOPES asks for more than FANKEEP_OPERATIONS needs"),
    ("FANKEEP_DATABASE_URL", None, "FANKEEP_DATABASE_URL is missing: production wants the database named"),
    ("FANKEEP_KEYS", None, "FANKEEP_KEYS is missing: make a key file with"),
    (
        "FANKEEP_INTERNAL_HOST",
        "0.0.0.0",
        "FANKEEP_INTERNAL_HOST is not on this machine: set FANKEEP_INTERNAL_TLS_CERT_FILE",
    ),
    (
        "FANKEEP_TRUSTED_PROXIES",
        None,
        "FANKEEP_TLS_CERT_FILE is missing: set it and FANKEEP_TLS_KEY_FILE, or",
    ),
]

REFUSED_IN_DEVELOPMENT = [
    ("FANKEEP_INTERNAL_HOST", "10.0.0.7", "FANKEEP_INTERNAL_HOST must be 127.0.0.1, ::1 or localhost"),
    ("FANKEEP_PUBLIC_URL", "https://app.example.com", "FANKEEP_PUBLIC_URL must be a name of this machine"),
    (
        "FANKEEP_PUBLIC_URL",
        "http://localhost.example.com",
        "FANKEEP_PUBLIC_URL must be a name of this machine",
    ),
    ("FANKEEP_HOST", "0.0.0.0", "FANKEEP_HOST must be 127.0.0.1, ::1 or localhost"),
]


def changed(environment, name, value):
    return without(environment, name) if value is None else environment | {name: value}


class TestWhatIsRefused:
    @pytest.mark.parametrize(("name", "value", "line"), REFUSED_EVERYWHERE + REFUSED_IN_PRODUCTION)
    def test_in_production(self, refusal, production, name, value, line):
        message = refusal(changed(production, name, value))

        assert message.startswith(line)

    @pytest.mark.parametrize(("name", "value", "line"), REFUSED_EVERYWHERE + REFUSED_IN_DEVELOPMENT)
    def test_in_development(self, refusal, development, name, value, line):
        message = refusal(changed(development, name, value))

        assert message.startswith(line)

    @pytest.mark.parametrize(
        "name",
        ["FANKEEP_PUBLIC_URL", "FANKEEP_CLIENT_ID", "FANKEEP_CLIENT_SECRET", "FANKEEP_WEBHOOK_SECRETS"],
    )
    def test_what_is_missing_is_named(self, refusal, production, name):
        assert refusal(without(production, name)).startswith(f"{name} is missing: set it")

    def test_everything_that_is_wrong_is_said_at_once(self, refusal):
        message = refusal({"FANKEEP_PORT": "x"})

        for name in ("PUBLIC_URL", "CLIENT_ID", "CLIENT_SECRET", "WEBHOOK_SECRETS", "PORT"):
            assert message.count(f"FANKEEP_{name} ") == 1

    @pytest.mark.parametrize(
        ("others", "days"),
        [
            ({}, 2),
            ({"FANKEEP_EVENT_TRIES": "5"}, 1),
            ({"FANKEEP_EVENT_TIMEOUT": "3600"}, 3),
            ({"FANKEEP_EVENTS": "pull"}, 3),
            ({"FANKEEP_EVENT_TRIES": "30"}, 6),
            ({"FANKEEP_EVENT_TRIES": "30", "FANKEEP_EVENT_TIMEOUT": "3600"}, 7),
            ({"FANKEEP_EVENT_TRIES": "30", "FANKEEP_EVENTS": "pull"}, 7),
        ],
    )
    def test_payloads_that_would_go_before_the_last_try_are_refused(
        self, settings_from, refusal, production, others, days
    ):
        enough = production | others | {"FANKEEP_KEEP_PAYLOADS_DAYS": str(days)}
        assert settings_from(enough).keep_payloads_days == days
        if days > 1:
            message = refusal(enough | {"FANKEEP_KEEP_PAYLOADS_DAYS": str(days - 1)})
            assert message.startswith("FANKEEP_KEEP_PAYLOADS_DAYS must last for all FANKEEP_EVENT_TRIES")
            assert message.endswith(f"that is {days} or more")

    def test_a_secret_that_gives_no_key_in_the_chosen_reading_is_refused(self, refusal, production):
        environment = production | {
            "FANKEEP_WEBHOOK_SECRETS": f"main=whsec_{'ab' * 32}\nother={'0123456789abcdef' * 2}",
            "FANKEEP_WEBHOOK_SECRET_FORMAT": "hex",
        }

        assert refusal(environment).startswith("FANKEEP_WEBHOOK_SECRET_FORMAT does not fit a secret")

    def test_a_missing_certificate_file_is_refused(self, refusal, production, tmp_path):
        files = {"FANKEEP_TLS_CERT_FILE": f"{tmp_path}/c.pem", "FANKEEP_TLS_KEY_FILE": f"{tmp_path}/k.pem"}

        assert refusal(production | files).startswith(
            "FANKEEP_TLS_CERT_FILE names a file that cannot be found"
        )

    def test_own_certificates_make_proxies_unnecessary(self, settings_from, production, tmp_path):
        for name in ("c.pem", "k.pem"):
            (tmp_path / name).touch()
        files = {"FANKEEP_TLS_CERT_FILE": f"{tmp_path}/c.pem", "FANKEEP_TLS_KEY_FILE": f"{tmp_path}/k.pem"}

        settings = settings_from(without(production, "FANKEEP_TRUSTED_PROXIES") | files)

        assert settings.tls_cert_file == tmp_path / "c.pem"

    @pytest.mark.parametrize("host", ["10.0.0.7", "::"])
    def test_an_internal_listener_off_this_machine_has_tls_or_is_declared_private(
        self, settings_from, refusal, production, tmp_path, host
    ):
        outside = {**production, "FANKEEP_INTERNAL_HOST": host, "FANKEEP_INTERNAL_PORT": "8081"}
        files = {"CERT": tmp_path / "chain.pem", "KEY": tmp_path / "key.pem"}
        tls = {f"FANKEEP_INTERNAL_TLS_{name}_FILE": str(path) for name, path in files.items()}
        assert "cannot be found" in refusal({**outside, **tls})
        for path in files.values():
            path.touch()
        assert settings_from({**outside, **tls}).internal_port == 8081
        assert settings_from({**outside, "FANKEEP_INTERNAL_NETWORK": "private"}).internal_host == host

    def test_without_its_port_there_is_no_internal_listener(self, settings_from, production):
        assert settings_from(production).internal_port is None

    @pytest.mark.parametrize("keys", [None, "sqlite:////var/lib/keys.db"])
    def test_postgresql_wants_a_second_postgresql_database_for_the_keys(self, refusal, production, keys):
        given = production | {"FANKEEP_DATABASE_URL": "postgresql://u:hunter2@127.0.0.1/fankeep"}
        if keys:
            given["FANKEEP_KEYS_DATABASE_URL"] = keys
        told = refusal(given)
        assert told.startswith("FANKEEP_KEYS_DATABASE_URL must")
        assert "hunter2" not in told

    @pytest.mark.parametrize("name", ["FANKEEP_DATABASE_URL", "FANKEEP_KEYS_DATABASE_URL"])
    @pytest.mark.parametrize("host", ["db.example.com", "10.0.0.7", "[2001:db8::1]"])
    def test_production_reaches_no_database_on_another_machine_without_tls(
        self, refusal, production, name, host
    ):
        urls = {
            "FANKEEP_DATABASE_URL": "postgresql://u:hunter2@db.example.com/fankeep",
            "FANKEEP_KEYS_DATABASE_URL": "postgresql://u:hunter2@keys.example.com/keys?sslmode=verify-full",
        }
        plain = f"postgresql://u:hunter2@{host}/other?sslmode=disable"
        told = refusal(production | urls | {name: plain})
        assert told == f"{name} must use TLS to another machine in production: leave sslmode out of it"

    @pytest.mark.parametrize(
        "url",
        [
            "postgresql://u:hunter2@db.example.com/fankeep?pgbouncer=true",
            "postgresql://u:hunter2@db.example.com/fankeep?sslmode=require",
            "postgresql://u:hunter2@db.example.com",
            "postgresql://:hunter2@db.example.com/fankeep",
        ],
    )
    def test_an_address_of_postgresql_that_does_not_fit_is_refused_without_its_password(
        self, refusal, production, url
    ):
        told = refusal(production | {"FANKEEP_DATABASE_URL": url})
        assert told.startswith("FANKEEP_DATABASE_URL ")
        assert "hunter2" not in told

    @pytest.mark.parametrize(
        ("payloads", "events", "told"),
        [
            ("7", "7", "FANKEEP_KEEP_EVENTS_DAYS must be more than FANKEEP_KEEP_PAYLOADS_DAYS"),
            ("30", "8", "FANKEEP_KEEP_EVENTS_DAYS must be more than FANKEEP_KEEP_PAYLOADS_DAYS"),
            ("1", "30", "FANKEEP_KEEP_PAYLOADS_DAYS must last for all FANKEEP_EVENT_TRIES"),
            ("7", "3651", "FANKEEP_KEEP_EVENTS_DAYS must be a number of days from 1 to 3650"),
            ("7", "1.5", "FANKEEP_KEEP_EVENTS_DAYS must be a number of days from 1 to 3650"),
        ],
    )
    def test_a_retention_that_forgets_too_early_is_refused(self, refusal, production, payloads, events, told):
        days = {"FANKEEP_KEEP_PAYLOADS_DAYS": payloads, "FANKEEP_KEEP_EVENTS_DAYS": events}

        assert refusal(production | days).startswith(told)

    def test_a_tolerance_beyond_what_is_known_of_repeats_is_refused(self, refusal, settings_from, production):
        days = {"FANKEEP_KEEP_PAYLOADS_DAYS": "3", "FANKEEP_KEEP_EVENTS_DAYS": "4"}
        longest = {"FANKEEP_WEBHOOK_TOLERANCE": str(2 * 86_400)}
        longer = {"FANKEEP_WEBHOOK_TOLERANCE": str(2 * 86_400 + 1)}

        assert settings_from(production | days | longest).keep_events_days == 4
        assert refusal(production | days | longer).startswith(
            "FANKEEP_WEBHOOK_TOLERANCE must be at most half of FANKEEP_KEEP_EVENTS_DAYS"
        )

    def test_data_and_keys_in_one_file_are_refused(self, refusal, production):
        one = {"FANKEEP_KEYS_DATABASE_URL": production["FANKEEP_DATABASE_URL"]}

        assert refusal(production | one).startswith("FANKEEP_KEYS_DATABASE_URL must not be that of")

    def test_http_to_this_machine_is_allowed_in_development(self, settings_from, development):
        local = {"FANKEEP_ISSUER_URL": "http://127.0.0.1:4010", "FANKEEP_API_URL": "http://127.0.0.1:4010"}

        assert settings_from(development | local).issuer_url == "http://127.0.0.1:4010"

    def test_events_leave_by_https_only(self, refusal, production, good_secret):
        forward = {"FANKEEP_FORWARD_URL": "http://app.example.com/x", "FANKEEP_FORWARD_SECRET": good_secret}

        assert refusal(production | forward).startswith("FANKEEP_FORWARD_URL must be https")

    def test_events_are_pulled_or_sent_on_and_never_both(self, refusal, settings_from, development):
        pull = development | {"FANKEEP_EVENTS": "pull"}
        forward = {
            "FANKEEP_FORWARD_URL": "http://localhost:3000/x",
            "FANKEEP_FORWARD_SECRET": "whsec_" + "QUJD" * 8,
        }

        assert settings_from(pull).events == "pull"
        ordered = refusal(pull | {"FANKEEP_EVENT_ORDER": "creator"})
        assert ordered.startswith("FANKEEP_EVENT_ORDER is about what goes to handlers")
        assert settings_from(development | forward).events == "push"
        assert refusal(pull | forward).startswith("FANKEEP_EVENTS is pull, so nothing is sent on: unset ")

    def test_an_argument_that_is_no_setting_is_named(self, refusal, production):
        assert refusal(production, publik_url="https://x.example") == "publik_url is not a setting"


class TestUnknownVariables:
    def test_a_mistyped_name_gets_a_suggestion(self, refusal, production):
        message = refusal(production | {"FANKEEP_CLINET_ID": "something"})

        assert message == "FANKEEP_CLINET_ID is not a setting; did you mean FANKEEP_CLIENT_ID?"

    def test_a_strange_name_is_refused_without_a_suggestion(self, refusal, production):
        assert refusal(production | {"FANKEEP_QQQ": "x"}) == "FANKEEP_QQQ is not a setting: remove it"

    def test_a_lower_case_name_is_refused(self, refusal, production):
        message = refusal(production | {"fankeep_port": "1"})

        assert message == "fankeep_port is not a setting; did you mean FANKEEP_PORT?"

    def test_a_file_of_what_is_no_secret_is_refused(self, refusal, production):
        assert refusal(production | {"FANKEEP_PORT_FILE": "x"}).startswith(
            "FANKEEP_PORT_FILE is not a setting"
        )

    def test_a_name_that_could_be_a_pasted_secret_is_not_repeated(self, refusal, production):
        message = refusal(production | {"FANKEEP_" + "S3CR3T" * 20: "x"})

        assert message == "FANKEEP_... is not a setting: remove it"

    def test_other_programs_variables_do_not_matter(self, settings_from, production):
        assert settings_from(production | {"FANKEEPER": "x", "PORT": "1"}).port == 8080


class TestSecretFiles:
    def test_variable_and_file_at_once_are_refused(self, refusal, production, tmp_path, good_secret):
        path = tmp_path / "secret"
        path.write_text(good_secret)
        path.chmod(0o600)

        message = refusal(production | {"FANKEEP_CLIENT_SECRET_FILE": str(path)})

        assert (
            message == "FANKEEP_CLIENT_SECRET and FANKEEP_CLIENT_SECRET_FILE are both set: keep one of them"
        )

    def test_a_file_that_is_not_there_is_refused_under_the_variables_name(self, settings_from, production):
        environment = without(production, "FANKEEP_CLIENT_SECRET")
        with pytest.raises(ConfigurationError, match=r"^FANKEEP_CLIENT_SECRET_FILE: .*\S") as caught:
            settings_from(environment | {"FANKEEP_CLIENT_SECRET_FILE": "/nonexistent/s3cr3t-path"})

        assert "\n" not in str(caught.value)

    def test_a_placeholder_in_a_file_is_refused(self, refusal, production, tmp_path):
        path = tmp_path / "secret"
        path.write_text("replace-this-with-the-secret")
        path.chmod(0o600)
        environment = without(production, "FANKEEP_CLIENT_SECRET") | {"FANKEEP_CLIENT_SECRET_FILE": str(path)}

        assert refusal(environment).startswith("FANKEEP_CLIENT_SECRET, line 1: this is a placeholder")
