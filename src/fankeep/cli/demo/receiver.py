"""An app that takes forwarded events, and a hostile page: one small HTTP server for both."""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

__all__ = ["ATTACK_PATH", "EVENTS_PATH", "Receiver"]

EVENTS_PATH = "/events"
ATTACK_PATH = "/attack"


class Receiver:
    """Counts how often each event was handled; refuses what is not signed by the gateway.

    Attributes:
        handled: how often each event id came in with a good signature.
        refused: how many requests had none.
        pages: what a browser gets at a path.
    """

    def __init__(self, forward_secret: str, gateway_url: str) -> None:
        """Listen on a free port of 127.0.0.1, which is another site than the gateway's localhost."""
        self.handled: Counter[str] = Counter()
        self.refused = 0
        self._key = base64.b64decode(forward_secret.removeprefix("whsec_"))
        self._lock = threading.Lock()
        self.pages = {ATTACK_PATH: _attack_page(f"{gateway_url}/auth/disconnect").encode()}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, name="receiver", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take(self, event_id: str, timestamp: str, signatures: str, body: bytes) -> bool:
        """Verify one forwarded event the way a Standard Webhooks library does, and count it."""
        signed = f"{event_id}.{timestamp}.".encode() + body
        wanted = "v1," + base64.b64encode(hmac.digest(self._key, signed, hashlib.sha256)).decode()
        genuine = any(hmac.compare_digest(wanted, given) for given in signatures.split())
        with self._lock:
            if genuine:
                self.handled[event_id] += 1
            else:
                self.refused += 1
        return genuine


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = receiver.pages.get(self.path)
            self.send_response(404 if page is None else 200)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(page or b"")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            names = ("webhook-id", "webhook-timestamp", "webhook-signature")
            event_id, timestamp, signatures = (self.headers.get(name, "") for name in names)
            self.send_response(204 if receiver.take(event_id, timestamp, signatures, body) else 401)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Print nothing."""

    return Handler


def _attack_page(target: str) -> str:
    return (
        "<!doctype html><title>A prize for you</title>"
        f'<form method="post" action="{html.escape(target)}"></form>'
        "<script>document.forms[0].submit()</script>"
    )
