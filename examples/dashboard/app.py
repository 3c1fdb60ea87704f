"""A dashboard for Fanvue creators: a small app behind the gateway, without a line of fankeep's in it.

It holds no token and no client secret. The page's script calls ``/api/fanvue/...`` of its own origin, which
is the gateway; the server learns who is asking from a signed header (`identity`), and what happens at Fanvue
from signed events (`events`).
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from events import Feed, NotGenuine, verify
from granian import Granian
from identity import Identity, IdentityCheck
from jinja2 import Environment, FileSystemLoader
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

HERE = Path(__file__).parent
PORT = int(os.environ.get("PORT", "8081"))
# The same variables as the gateway's: where browsers reach it, and where it reaches this app.
GATEWAY = os.environ.get("FANKEEP_PUBLIC_URL", "http://localhost:8080")
ORIGIN = os.environ.get("FANKEEP_UPSTREAM_URL", f"http://127.0.0.1:{PORT}")

LARGEST_EVENT = 1 << 20
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

pages = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True)
who = IdentityCheck(GATEWAY, audience=ORIGIN)
feed = Feed()


async def home(request: Request) -> Response:
    """Show the one page of this app, for whoever is asking."""
    return page(await who(request))


def page(identity: Identity | None) -> Response:
    """Render the page: not signed in, connected, or connected once and not any more."""
    if identity is None:
        name = "welcome.html"
    else:
        name = "dashboard.html" if identity.connected else "reconnect.html"
    html = pages.get_template(name).render()
    return HTMLResponse(html, headers={"content-security-policy": CONTENT_POLICY})


async def live(request: Request) -> Response:
    """Stream the events of the creator who is asking, and of nobody else."""
    identity = await who(request)
    if identity is None:
        return Response(status_code=204)  # this tells the browser not to try again
    stream = feed.watch(identity.user, until=identity.expires)
    return StreamingResponse(stream, media_type="text/event-stream", headers={"cache-control": "no-store"})


async def hook(request: Request) -> Response:
    """Take an event from the gateway; a 2xx means that it need not come again."""
    try:
        body = await read(request)
        event_id = verify(body, request.headers, os.environ["FANKEEP_FORWARD_SECRET"], now=time.time())
    except (NotGenuine, ClientDisconnect):
        return Response(status_code=401)
    feed.add(event_id, json.loads(body))
    return Response(status_code=204)


async def read(request: Request) -> bytes:
    """Read a body of bounded size."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_EVENT:
            raise NotGenuine
    return bytes(body)


app = Starlette(
    routes=[
        Route("/", home),
        Route("/live", live),
        Route("/hooks/fankeep", hook, methods=["POST"]),
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ]
)

if __name__ == "__main__":
    Granian("app:app", address="127.0.0.1", port=PORT, interface="asgi", workers_kill_timeout=1).serve()
