"""Pure decisions: cookies, cross-site requests, return paths, redaction, minimisation, retries."""

from __future__ import annotations

from fankeep.policy.cookies import (
    LOGIN_COOKIES,
    SESSION_COOKIE,
    cookies_without_ours,
    expired_cookie,
    parse_cookies,
    set_cookie,
)
from fankeep.policy.csrf import REQUEST_HEADER, Allowed, Decision, Refused, RequestOrigin, decide
from fankeep.policy.errors import error_body, page_text, retry_after
from fankeep.policy.headers import BASE_HEADERS, CALLBACK_HEADERS, api_headers, page_headers, security_headers
from fankeep.policy.hosts import HostList, Network, TrustedProxies, is_loopback_name
from fankeep.policy.minimise import Json, KeepList, Minimised, minimise
from fankeep.policy.redaction import REDACTED, Loggable, Redactor
from fankeep.policy.retry import DELIVERY_RETRIES, LONGEST_LEASE, GiveUp, RetryIn, RetrySchedule
from fankeep.policy.return_path import ReturnPath, parse_return_path

__all__ = [
    "BASE_HEADERS",
    "CALLBACK_HEADERS",
    "DELIVERY_RETRIES",
    "LOGIN_COOKIES",
    "LONGEST_LEASE",
    "REDACTED",
    "REQUEST_HEADER",
    "SESSION_COOKIE",
    "Allowed",
    "Decision",
    "GiveUp",
    "HostList",
    "Json",
    "KeepList",
    "Loggable",
    "Minimised",
    "Network",
    "Redactor",
    "Refused",
    "RequestOrigin",
    "RetryIn",
    "RetrySchedule",
    "ReturnPath",
    "TrustedProxies",
    "api_headers",
    "cookies_without_ours",
    "decide",
    "error_body",
    "expired_cookie",
    "is_loopback_name",
    "minimise",
    "page_headers",
    "page_text",
    "parse_cookies",
    "parse_return_path",
    "retry_after",
    "security_headers",
    "set_cookie",
]
