"""The sandbox's control API, called in step."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlencode, urlsplit

from fankeep.errors import FankeepError

__all__ = ["Control"]

_SECONDS = 40.0


class Control:
    """Asks a running sandbox what happened, and makes things happen in it."""

    def __init__(self, base_url: str) -> None:
        self._netloc = urlsplit(base_url).netloc

    def show(self, view: str, **query: object) -> Any:
        """Read a view, for example the journal."""
        return self._exchange("GET", f"/sandbox/{view}?{urlencode(query)}", None)

    def do(self, action: str, **wanted: object) -> Any:
        """Make something happen."""
        return self._exchange("POST", f"/sandbox/{action}", json.dumps(wanted))

    def now(self) -> int:
        """Return the number of the newest journal entry."""
        entries = self.show("journal")
        return max((entry["number"] for entry in entries), default=0)

    def count(self, since: int, **wanted: object) -> int:
        """Count journal entries after a number that have these fields."""
        return len(self.since(since, **wanted))

    def since(self, since: int, **wanted: object) -> list[dict[str, Any]]:
        """Return journal entries after a number that have these fields."""
        entries: list[dict[str, Any]] = self.show("journal", since=since, **wanted)
        return entries

    def _exchange(self, method: str, target: str, body: str | None) -> Any:
        connection = http.client.HTTPConnection(self._netloc, timeout=_SECONDS)
        try:
            connection.request(method, target, body=body, headers={"content-type": "application/json"})
            response = connection.getresponse()
            content = json.loads(response.read())
        finally:
            connection.close()
        if response.status != http.client.OK:
            raise FankeepError(f"the sandbox refused {target.partition('?')[0]}")
        return content
