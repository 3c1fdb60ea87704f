"""Reading the API's lists: what is a fan's message, where a list ends, and that any answer will do."""

from hypothesis import given
from hypothesis import strategies as st

from fankeep.client import ApiAnswer, RateLimit
from fankeep.reconcile.history import Window, messages, payments

CREATOR = "5939ae62-3eb5-4433-954f-f78c7b4282f3"
FAN = "f4b2a184-2b4a-4a04-9b70-3c0e0a1caa12"
MESSAGE = "0b6c6f0e-63a7-4b52-8f4f-0f1f6f6f1a01"
WINDOW = Window(1_700_000_000, 1_700_086_400)
AT = "2023-11-15T00:00:00.000Z"
LONG_BEFORE = "2020-01-01T00:00:00.000Z"

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.just(FAN)
    | st.just(AT),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["data", "uuid", "user", "sender", "sentAt", "lastMessageAt", "gross", "date", "type"]
            )
            | st.text(max_size=5),
            inner,
            max_size=6,
        )
    ),
    max_leaves=30,
)


class Pages:
    """Answers list operations with pages that were made before."""

    def __init__(self, **pages):
        self._pages = pages
        self.read = []

    async def pages(self, operation, *, params=None, query=()):
        for page in self._pages.get(operation, []):
            self.read.append((operation, params))
            yield ApiAnswer(200, page, None, RateLimit(None, None, None), deprecated=False)


def chat(at, fan=FAN):
    return {"user": {"uuid": fan}, "lastMessageAt": at}


def message(**changes):
    row = {"uuid": MESSAGE, "sentAt": AT, "sender": {"uuid": FAN}, "type": "SINGLE_RECIPIENT", "text": "hi"}
    return {**row, **changes}


async def found(client):
    return [one async for one in messages(client, CREATOR, WINDOW)]


async def test_only_what_the_fan_wrote_in_the_time_is_a_message():
    rows = [
        message(),
        message(sender={"uuid": CREATOR}),
        message(type="TIP"),
        message(sentAt=LONG_BEFORE),
        message(sentAt=None),
        message(uuid="no uuid"),
        message(type="SOMETHING_NEW", uuid=MESSAGE.replace("0b6c", "1b6c")),
    ]
    client = Pages(listChats=[{"data": [chat(AT)]}], listMessages=[{"data": rows}])

    got = await found(client)

    assert [one.uuid for one in got] == [MESSAGE, MESSAGE.replace("0b6c", "1b6c")]
    assert got[0].data["text"] == "hi"
    assert got[0].data["creator"] == {"uuid": CREATOR}


async def test_lists_are_read_no_further_than_the_time_reaches():
    old = {"data": [chat(LONG_BEFORE), chat(LONG_BEFORE)]}
    client = Pages(
        listChats=[{"data": [chat(AT), chat(LONG_BEFORE)]}, old, {"data": [chat(AT)]}],
        listMessages=[{"data": [message(sentAt=LONG_BEFORE)]}, {"data": [message()]}],
    )

    assert await found(client) == []
    assert [operation for operation, _ in client.read] == ["listChats", "listMessages", "listChats"]


async def test_what_went_back_is_no_payment():
    rows = [
        {"gross": 500, "date": AT, "user": {"uuid": FAN.upper()}},
        {"gross": -500, "date": AT, "user": {"uuid": FAN}},
        {"gross": 700, "date": LONG_BEFORE, "user": {"uuid": FAN}},
        {"gross": 900, "date": AT},
        {"gross": "900", "date": AT, "user": {"uuid": FAN}},
    ]
    got = [one async for one in payments(Pages(getEarnings=[{"data": rows}]), WINDOW)]

    assert [(one.fan, one.gross) for one in got] == [(FAN, 500)]


@given(chats=anything, rows=anything)
async def test_any_answer_is_read_or_passed_over(chats, rows):
    client = Pages(listChats=[chats, {"data": [chat(AT)]}], listMessages=[rows], getEarnings=[rows])

    for one in await found(client):
        assert WINDOW.holds(one.sent_at)
    async for one in payments(client, WINDOW):
        assert one.gross > 0
