"""The state file: the whole world comes back from it, and nothing else is ever taken for one."""

import stat
from dataclasses import dataclass

import pytest

from fankeep.errors import ConfigurationError
from fankeep.sandbox import Keeper, Sandbox, SandboxClock, SandboxSettings, StateFile, world
from fankeep.sandbox.control.app_plans import APP_PLAN_ACTIONS
from fankeep.sandbox.control.deeds import Deed, act_as_fan
from fankeep.sandbox.control.wanted import Wanted
from fankeep.sandbox.dice import Dice
from fankeep.sandbox.faults import Fault, FaultKind, Target
from fankeep.sandbox.forging import Forge
from fankeep.sandbox.journal import Kind
from fankeep.sandbox.passing import settle
from fankeep.sandbox.payloads import sample_scene
from fankeep.sandbox.state.graph import read_graph, write_graph
from fankeep.transport import Transport


@dataclass(eq=False)
class Node:
    name: str
    others: list


@pytest.fixture
def file(tmp_path):
    return StateFile(tmp_path / "world.state")


@pytest.fixture
async def again(file, start):
    """What the file brings back into a new sandbox."""
    transport = Transport(https_only=False)
    made = []

    def build():
        keeper = Keeper(file)
        sandbox = Sandbox(
            SandboxSettings(seed=keeper.saved.seed),
            base_url="http://127.0.0.1:4010",
            transport=transport,
            clock=SandboxClock(lambda: start),
        )
        keeper.restore(sandbox)
        made.append(sandbox)
        return sandbox

    yield build
    for sandbox in made:
        await sandbox.close()
    await transport.close()


def test_objects_in_a_circle_come_back_in_a_circle():
    one, two = Node("one", []), Node("two", [])
    one.others, two.others = [two, one], [one]

    back = read_graph(write_graph(one, {"Node": Node}), {"Node": Node})

    assert back.name == "one"
    assert back.others[1] is back
    assert back.others[0].others[0] is back


def test_a_class_that_is_not_in_the_table_is_neither_written_nor_made():
    with pytest.raises(TypeError, match="Node"):
        write_graph(Node("one", []), {})
    with pytest.raises(ValueError, match="not a graph"):
        read_graph(write_graph(Node("one", []), {"Node": Node}), {})


def test_dice_go_on_where_they_stood():
    dice = Dice(1, "x")
    dice.uuid()
    again = Dice.again(dice.state())
    assert [again.number(0, 10**9) for _ in range(5)] == [dice.number(0, 10**9) for _ in range(5)]


async def test_the_world_comes_back_as_it_was(sandbox, file, again, authorization, start):
    app = sandbox.apps.first
    creator = sandbox.world.first_creator
    given = authorization(creator=creator.uuid, client_id=app.client_id)
    code = sandbox.codes.issue(given, now=start)
    sandbox.consents.grant(creator=creator.uuid, client_id=app.client_id, scopes=given.scopes)
    pair = sandbox.tokens.start(given, code, now=start)
    rotated = sandbox.tokens.rotate(
        pair.refresh.value, client_id=app.client_id, app_scopes=app.scopes, scope=None, now=start
    )
    endpoint_id = sandbox.add_endpoint(app.client_id, "http://127.0.0.1:9/x", topics=frozenset({"tip.new"}))
    sandbox.endpoints.get(endpoint_id).enabled = False
    sandbox.life.fan_tips(creator, creator.followers[0], 777, now=start)
    sandbox.clock.advance(120)
    secret = sandbox.reset_secret(app.client_id)

    Keeper(file).save(sandbox)
    back = again()

    assert back.apps.first.client_secret == secret
    assert back.apps.first.signing_secret == app.signing_secret
    assert back.apps.get(app.client_id).redirect_uris == app.redirect_uris
    assert back.consents.granted(creator=creator.uuid, client_id=app.client_id) == frozenset(given.scopes)
    assert back.tokens.refresh_token(pair.refresh.value).uses == 1
    assert back.tokens.access_token(rotated.access.value, now=start) is not None
    assert back.tokens.access_token(pair.access.value, now=start) is None
    assert back.codes.was_used(code) is False
    assert back.endpoints.get(endpoint_id).secret == sandbox.endpoints.get(endpoint_id).secret
    assert back.clock.offset == 120
    assert back.world.first_creator.earnings == creator.earnings
    assert back.world.dice.uuid() == sandbox.world.dice.uuid()
    assert back.issuer.jwks() == sandbox.issuer.jwks()


async def test_everything_that_people_can_do_is_in_the_file(sandbox, file, again):
    creator = sandbox.world.first_creator
    for deed in Deed:
        for fan in (creator.followers[0], creator.subscribers[0]):
            act_as_fan(sandbox, deed, creator, fan, Wanted({}))
    for action in APP_PLAN_ACTIONS.values():
        await action(sandbox, Wanted({}))
    sandbox.clock.advance(40 * 86_400)
    assert settle(sandbox)

    Keeper(file).save(sandbox)

    kinds = {name: kind for name in world.__all__ if isinstance(kind := getattr(world, name), type)}
    assert write_graph(again().world, kinds) == write_graph(sandbox.world, kinds)


async def test_the_file_is_for_its_owner_only_and_replaced_as_a_whole(sandbox, file):
    keeper = Keeper(file)
    keeper.save(sandbox)
    before = file.path.stat().st_ino
    keeper.save(sandbox)
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert file.path.stat().st_ino != before
    assert list(file.path.parent.iterdir()) == [file.path]


async def test_damage_and_other_files_are_refused_and_left_alone(sandbox, file):
    Keeper(file).save(sandbox)
    good = file.path.read_bytes()
    middle = len(good) // 2
    for bad in (b"", b"[section]\n", good[:-1], good[:middle] + b"~" + good[middle + 1 :], good + b" "):
        file.path.write_bytes(bad)
        with pytest.raises(ConfigurationError, match=r"cannot use the state file"):
            Keeper(file)
        assert file.path.read_bytes() == bad


async def test_a_state_of_another_version_is_refused(file):
    file.write(write_graph(Node("one", []), {"Saved": Node}))
    with pytest.raises(ConfigurationError, match="another version"):
        Keeper(file)


async def test_a_file_that_cannot_be_written_is_refused(sandbox, tmp_path):
    with pytest.raises(ConfigurationError, match="cannot use the state file"):
        Keeper(StateFile(tmp_path / "missing" / "world.state")).save(sandbox)


async def test_everything_that_can_be_in_a_sandbox_has_a_place_in_the_file(sandbox, file, again):
    """Also what is there for a moment only: forged deliveries and faults that wait."""
    sandbox.faults.arm(Fault(Target.API, FaultKind.SLOW))
    sandbox.limiter.take("a:b", now=sandbox.now())
    endpoint = sandbox.endpoints.get(
        sandbox.add_endpoint(sandbox.apps.first.client_id, "http://127.0.0.1:9/")
    )
    scene = sample_scene(sandbox.world, sandbox.world.first_creator, sandbox.world.dice, now=sandbox.now())
    for forge in (None, *Forge):
        sandbox.sender.publish("tip.new", scene, [endpoint], forge=forge)

    Keeper(file).save(sandbox)
    back = again()

    assert [fault.as_json() for fault in back.faults.armed] == [
        fault.as_json() for fault in sandbox.faults.armed
    ]
    assert [delivery.forge for delivery in back.endpoints.get(endpoint.id).history] == [None, *Forge]


async def test_the_newest_of_a_long_journal_are_kept_with_their_numbers(sandbox, file, again):
    for number in range(2_500):
        entry = sandbox.journal.begin(Kind.TOKEN, "POST", "/oauth2/token", at=sandbox.now())
        entry.note(use=number, fault=None, fresh=True, share=0.5)
        entry.finish(200, at=sandbox.now())
    sandbox.journal.begin(Kind.API, "GET", "/users/me", at=sandbox.now())

    Keeper(file).save(sandbox)
    back = again()

    kept = back.journal.find()
    assert [entry.number for entry in kept] == list(range(502, 2_502))
    assert [entry.as_json() for entry in kept] == [
        entry.as_json() for entry in sandbox.journal.find(limit=2_000)
    ]
    assert kept[-1].status is None
    assert back.journal.begin(Kind.API, "GET", "/", at=0.0).number == 2_502


def test_a_lock_is_held_by_one_at_a_time_and_left_behind_by_nobody(file):
    with file.locked():
        with pytest.raises(ConfigurationError, match="another sandbox runs"), file.locked():
            pass
        assert stat.S_IMODE((file.path.parent / "world.state.lock").stat().st_mode) == 0o600
    with file.locked():
        pass


def test_a_place_without_room_for_the_lock_is_refused(tmp_path):
    file = StateFile(tmp_path / "missing" / "world.state")
    with pytest.raises(ConfigurationError, match="cannot use the state file"), file.locked():
        pass
