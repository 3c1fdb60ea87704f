"""The set-up of the HTTP library: everything it would do on its own accord is switched off here."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from cryptography import x509
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import PyreqwestError

from fankeep.errors import ConfigurationError

__all__ = ["build_client"]

# Shorter than the 5 s after which common servers close an idle connection: one that the server is just
# closing fails a request that nobody has seen.
_IDLE_SECONDS = 4.0


def build_client(
    *,
    https_only: bool,
    keep_alive: bool,
    ca_file: Path | None,
    user_agent: str,
    connect_timeout: float,
    max_connections: int,
) -> Client:
    """Build the library's client: HTTP/1.1, TLS 1.2 or newer, and no initiative of its own.

    Raises:
        ConfigurationError: the CA file does not hold certificates, or no trust store can be loaded.
    """
    builder = (
        ClientBuilder()
        .no_proxy()
        .follow_redirects(False)
        .default_cookie_store(False)
        .referer(False)
        .https_only(https_only)
        .min_tls_version("TLSv1.2")
        .http1_only()
        .gzip(False)
        .brotli(False)
        .zstd(False)
        .deflate(False)
        .user_agent(user_agent)
        .connect_timeout(timedelta(seconds=connect_timeout))
        .max_connections(max_connections)
        .pool_timeout(timedelta(seconds=connect_timeout))
        .pool_idle_timeout(timedelta(seconds=_IDLE_SECONDS))
    )
    if not keep_alive:
        builder = builder.pool_max_idle_per_host(0)
    if ca_file is not None:
        builder = builder.add_root_certificate_pem(_read_certificates(ca_file))
    try:
        return builder.build()
    except (PyreqwestError, ValueError, RuntimeError):
        pass
    raise ConfigurationError("the HTTP client cannot be set up; is there a trust store on this machine?")


def _read_certificates(path: Path) -> bytes:
    """Read a PEM file, since the library accepts one without any certificate in silence."""
    try:
        pem = path.read_bytes()
        x509.load_pem_x509_certificates(pem)
    except (OSError, ValueError):
        raise ConfigurationError(
            "the file of extra CA certificates holds no readable PEM certificate"
        ) from None
    return pem
