import secrets

import pytest

from fankeep import ConfigurationError, Keep
from fankeep.keep.server import known_secrets, run
from fankeep.policy import Redactor


def test_a_gateway_from_which_nobody_could_fetch_events_does_not_start(settings_from, development):
    with pytest.raises(ConfigurationError, match="set FANKEEP_INTERNAL_PORT"):
        run(settings_from(development | {"FANKEEP_EVENTS": "pull"}), log_format="json")


def test_a_handler_that_would_never_get_an_event_is_refused(settings_from, development):
    keep = Keep(settings_from(development | {"FANKEEP_EVENTS": "pull"}))
    with pytest.raises(ConfigurationError, match="no handler gets an event"):
        keep.on("creator.message.received")


def test_the_logs_know_every_secret_by_its_own_value(settings_from, production):
    # Dots, so that no shape catches them: only the value can.
    client = [f"{secrets.token_hex(12)}.{secrets.token_hex(12)}" for _ in range(2)]
    signing = [f"{secrets.token_hex(12)}.{secrets.token_hex(12)}" for _ in range(2)]
    settings = settings_from(
        {
            **production,
            "FANKEEP_CLIENT_SECRET": f"old={client[0]}\nnew={client[1]}",
            "FANKEEP_WEBHOOK_SECRETS": f"main={signing[0]}\nnext={signing[1]}",
        }
    )
    redactor = Redactor(known_secrets(settings))
    for secret in (*client, *signing):
        assert secret not in redactor.text(f"it is {secret}, is it")
    settings = settings_from({**production, "FANKEEP_CLIENT_SECRET": client[0]})
    assert client[0] not in Redactor(known_secrets(settings)).text(f"it is {client[0]}, is it")
