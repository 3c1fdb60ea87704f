"""The Fanvue API over a token source: passing requests on, and calls of our own."""

from __future__ import annotations

from fankeep.client.answers import ApiAnswer, ApiError, RateLimit
from fankeep.client.api import FanvueApi
from fankeep.client.client import FanvueClient
from fankeep.client.query import Query, QueryValue
from fankeep.client.tokens import AccessToken, TokenSource

__all__ = [
    "AccessToken",
    "ApiAnswer",
    "ApiError",
    "FanvueApi",
    "FanvueClient",
    "Query",
    "QueryValue",
    "RateLimit",
    "TokenSource",
]
