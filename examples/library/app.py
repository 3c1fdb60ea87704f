"""An app with fankeep inside: it welcomes every new follower."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route

from fankeep import Follow, Keep, ReceivedEvent

keep = Keep()  # reads the FANKEEP_* variables


@keep.on("creator.follow.created")
async def welcome(event: ReceivedEvent) -> None:
    """Write to whoever has just followed a creator of ours."""
    fan, fanvue = event.as_(Follow).fan, keep.client(event.creator)
    await fanvue.call("createChat", body={"userUuid": fan.uuid})
    await fanvue.call("sendMessage", params={"userUuid": fan.uuid}, body={"text": "Welcome!"})


async def home(_request: Request) -> HTMLResponse:
    """Show the app's own page; everything below /auth, /api/fanvue and /webhooks is fankeep's."""
    return HTMLResponse('<p>New followers are welcomed. <a href="/auth/login">Connect</a></p>')


app = Starlette(routes=[Route("/", home), Mount("/", keep.asgi())], lifespan=keep.lifespan)
