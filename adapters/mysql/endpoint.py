"""Where the shop's MySQL server is, and how to log in."""

import ssl
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import unquote, urlsplit

DEFAULT_PORT = 3306


@dataclass(frozen=True, slots=True)
class MySQLEndpoint:
    """A server, a user of it and the shop's schema. With a `unix_socket`, host and port are not used.

    `tls` None is a connection in the clear.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str
    unix_socket: str | None = None
    tls: ssl.SSLContext | None = field(default=None, repr=False, compare=False)

    def __str__(self) -> str:
        return f"{self.user}@{self.unix_socket or f'{self.host}:{self.port}'}/{self.database}"

    @classmethod
    def parse(cls, url: str, *, tls: ssl.SSLContext | None = None) -> Self:
        """The endpoint that `mysql://user:password@host:port/database` names; reserved characters percent-encoded.

        Raises ValueError, without the password, for any other form.
        """
        parts = urlsplit(url)
        database = unquote(parts.path.removeprefix("/"))
        if parts.scheme != "mysql" or not (parts.hostname and parts.username and database):
            raise ValueError("a MySQL address has the form mysql://user:password@host:port/database")
        return cls(
            host=parts.hostname,
            port=parts.port or DEFAULT_PORT,
            user=unquote(parts.username),
            password=unquote(parts.password or ""),
            database=database,
            tls=tls,
        )
