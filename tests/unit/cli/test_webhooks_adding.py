"""What `fankeep webhooks add --all` says when nobody is left to subscribe for."""

import pytest

from fankeep.cli.webhooks_adding import add_all


class Nobody:
    """No subscription is held, and none may be made."""

    @property
    def subscriptions(self):
        return self

    async def held(self):
        return []


@pytest.mark.parametrize("as_json", [False, True])
async def test_without_a_connected_creator_it_says_so_beside_the_answer(capsys, as_json):
    assert await add_all(Nobody(), [], ("creator.message.received",), again=False, as_json=as_json)
    assert capsys.readouterr() == ("", "nothing to do: no connected creator\n")
