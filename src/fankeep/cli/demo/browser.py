"""A browser by script: cookies, redirects, forms, fetch metadata, and a record of all that it received.

It is deliberately not built on fankeep's own HTTP client: it plays a stranger.
"""

from __future__ import annotations

import http.client
import json as jsonlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin, urlsplit

__all__ = ["Answer", "Browser", "Form"]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 10
_SECONDS = 40.0


@dataclass(frozen=True, slots=True)
class Form:
    """A form of a page: where it goes and what it sends untouched."""

    method: str
    action: str
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one request."""

    status: int
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return the first header of this name."""
        return next((value for key, value in self.headers if key.lower() == name), None)

    def json(self) -> dict[str, object]:
        """Return the body as a JSON object."""
        value = jsonlib.loads(self.body)
        if not isinstance(value, dict):
            raise TypeError("not a JSON object")
        return value

    def forms(self) -> list[Form]:
        """Return the forms of the page, in order."""
        parser = _Forms(self.url)
        parser.feed(self.body.decode("utf-8", "replace"))
        return parser.found

    def form(self, path: str) -> Form:
        """Return the first form that goes to this path."""
        for form in self.forms():
            if urlsplit(form.action).path == path:
                return form
        raise LookupError(f"the page has no form for {path}")


class Browser:
    """One browser profile.

    Attributes:
        received: every header and body that ever came in.
    """

    def __init__(self) -> None:
        self._cookies: dict[tuple[str, str], str] = {}
        self._lock = threading.Lock()
        self.received: list[bytes] = []

    def cookies(self, host: str) -> dict[str, str]:
        """Return the cookies of a host; ports share them, as they do in browsers."""
        with self._lock:
            return {name: value for (owner, name), value in self._cookies.items() if owner == host}

    def set_cookie(self, host: str, name: str, value: str) -> None:
        """Put a cookie into the profile."""
        with self._lock:
            self._cookies[host, name] = value

    def open(self, url: str, *, initiator: str | None = None) -> Answer:
        """Go to an address, as a typed one or by a link on the page ``initiator``, and follow redirects."""
        return self._follow(self.request("GET", url, initiator=initiator, navigate=True), initiator)

    def submit(self, page: Answer, form: Form, values: Mapping[str, str] | None = None) -> Answer:
        """Send a form of a page and follow redirects."""
        first = self.request(
            form.method,
            form.action,
            form={**form.fields, **(values or {})},
            initiator=page.url,
            navigate=True,
        )
        return self._follow(first, page.url)

    def fetch(self, url: str, *, method: str = "GET", page: str | None = None, **more: str) -> Answer:
        """Call an API route the way a script of the page does; ``more`` are headers with _ for -."""
        headers = {name.replace("_", "-"): value for name, value in more.items()}
        return self.request(method, url, headers=headers, initiator=page or url)

    def request(
        self,
        method: str,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        initiator: str | None = None,
        navigate: bool = False,
    ) -> Answer:
        """Send one request with the cookies and the fetch metadata that a browser adds."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        body = urlencode(form).encode() if form is not None else None
        site = _site(initiator, url)
        fields = {"sec-fetch-site": site, "sec-fetch-mode": "navigate" if navigate else "cors"}
        if method not in ("GET", "HEAD") and initiator is not None:
            fields["origin"] = _origin(initiator)
        if body is not None:
            fields["content-type"] = "application/x-www-form-urlencoded"
        # SameSite=Lax: a cross-site request carries the cookies only when it is a plain navigation.
        if site != "cross-site" or (navigate and method == "GET"):
            jar = self.cookies(host)
            if jar:
                fields["cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
        fields.update(headers or {})
        answer = _send(method, url, fields, body)
        self._record(host, answer)
        return answer

    def _follow(self, answer: Answer, initiator: str | None) -> Answer:
        for _ in range(_MOST_REDIRECTS):
            location = answer.header("location")
            if answer.status not in _REDIRECTS or location is None:
                return answer
            target = urljoin(answer.url, location)
            answer = self.request("GET", target, initiator=initiator or answer.url, navigate=True)
        raise LookupError("too many redirects")

    def _record(self, host: str, answer: Answer) -> None:
        head = "".join(f"{name}: {value}\r\n" for name, value in answer.headers).encode()
        with self._lock:
            self.received.append(head + b"\r\n" + answer.body)
            for name, value in answer.headers:
                if name.lower() == "set-cookie":
                    self._store(host, value)

    def _store(self, host: str, line: str) -> None:
        pair, *attributes = line.split(";")
        name, _, value = pair.strip().partition("=")
        if any(attribute.strip().lower() == "max-age=0" for attribute in attributes):
            self._cookies.pop((host, name), None)
        else:
            self._cookies[host, name] = value


def _send(method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=_SECONDS)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, body=body, headers=dict(headers))
        response = connection.getresponse()
        return Answer(response.status, url, tuple(response.getheaders()), response.read())
    finally:
        connection.close()


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _site(initiator: str | None, target: str) -> str:
    """The value of ``Sec-Fetch-Site``; hosts here are single labels or addresses, so a host is a site."""
    if initiator is None:
        return "none"
    if _origin(initiator) == _origin(target):
        return "same-origin"
    same_host = urlsplit(initiator).hostname == urlsplit(target).hostname
    return "same-site" if same_host else "cross-site"


@dataclass
class _Forms(HTMLParser):
    base: str
    found: list[Form] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            action = urljoin(self.base, given.get("action") or self.base)
            self.found.append(Form(given.get("method", "get").upper(), action, {}))
        elif tag == "input" and self.found and given.get("name"):
            chosen = given.get("type") not in ("checkbox", "radio") or "checked" in given
            if chosen and given.get("type") != "submit":
                self.found[-1].fields[given["name"]] = given.get("value", "")
