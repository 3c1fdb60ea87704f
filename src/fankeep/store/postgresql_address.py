"""The address of a PostgreSQL database: what it may say, and how the way there is protected.

    postgresql://user:password@host:port/database?sslmode=verify-full&sslrootcert=/path/to/ca.pem
    postgresql://user@/database?host=/run/postgresql

To another machine the connection is encrypted and the server's name is checked, unless ``sslmode=disable``
says otherwise; on this machine it is not. Nothing is taken from ``PG*`` variables or from files in the home
folder: what is not in the address has the value that stands here.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from fankeep.errors import ConfigurationError
from fankeep.secret import Secret

__all__ = ["SCHEMES", "PostgresqlAddress"]

SCHEMES: Final = ("postgresql://", "postgres://")

_PORT: Final = 5432
_PARAMETERS: Final = frozenset({"host", "sslmode", "sslrootcert"})
_FORM: Final = "a PostgreSQL address is postgresql://user:password@host:port/database"


@dataclass(frozen=True, slots=True)
class PostgresqlAddress:
    """Where a database is, who asks, and how the server proves itself.

    Attributes:
        host: a name, an IP address, or the folder of a Unix socket.
        verified: TLS with the server's certificate and name checked.
        root_certificate: path of the PEM file that vouches for the server; None for the machine's own list.
    """

    host: str
    port: int
    user: str
    password: Secret[str] | None = field(repr=False)
    database: str
    verified: bool
    root_certificate: str | None = None

    @classmethod
    def parse(cls, url: str) -> PostgresqlAddress:
        """Take an address apart.

        Raises:
            ConfigurationError: it does not fit; the message never repeats any of it.
        """
        try:
            parts = urlsplit(url)
            port, parameters = (
                parts.port or _PORT,
                dict(parse_qsl(parts.query, strict_parsing=bool(parts.query))),
            )
        except ValueError:
            raise ConfigurationError(_FORM) from None
        database, user = unquote(parts.path.removeprefix("/")), unquote(parts.username or "")
        host = parameters.get("host") or parts.hostname or ""
        if not url.startswith(SCHEMES) or parts.fragment or "/" in database or "," in host:
            raise ConfigurationError(_FORM)
        if not (database and user and host):
            raise ConfigurationError(f"{_FORM}; each of user, host and database has to be there")
        if not parameters.keys() <= _PARAMETERS:
            raise ConfigurationError("a PostgreSQL address takes host, sslmode and sslrootcert, and no other")
        mode = parameters.get("sslmode") or ("disable" if _here(host) else "verify-full")
        if mode not in {"disable", "verify-full"}:
            raise ConfigurationError(
                "sslmode of a PostgreSQL address is verify-full, the default to another machine, or disable"
            )
        root = parameters.get("sslrootcert")
        if root is not None and mode == "disable":
            raise ConfigurationError("sslrootcert of a PostgreSQL address goes with sslmode=verify-full")
        password = None if parts.password is None else Secret(unquote(parts.password))
        return cls(host, port, user, password, database, mode == "verify-full", root)

    @property
    def open_to_the_network(self) -> bool:
        """Whether data would go to another machine unprotected."""
        return not self.verified and not _here(self.host)

    def tls(self) -> ssl.SSLContext | None:
        """Make what checks the server; None for a connection without TLS.

        Raises:
            ConfigurationError: the root certificate cannot be read.
        """
        if not self.verified:
            return None
        context = ssl.create_default_context()
        if self.root_certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            try:
                context.load_verify_locations(cafile=self.root_certificate)
            except (OSError, ssl.SSLError):
                raise ConfigurationError(
                    "sslrootcert of the PostgreSQL address names a file that is missing or no certificate"
                ) from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


def _here(host: str) -> bool:
    """Whether it is a socket or a name of this machine."""
    if host.startswith("/") or host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
