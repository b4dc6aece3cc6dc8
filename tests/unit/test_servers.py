"""The address of a given MySQL server."""

import pytest

from tests.servers import MySQLEndpoint, parse_mysql_url


def test_parse_mysql_url_reads_all_parts() -> None:
    """Escaped characters are those of the password itself; the port has MySQL's default."""
    assert MySQLEndpoint("db", 3307, "root", "p@ss:w") == parse_mysql_url("mysql://root:p%40ss%3Aw@db:3307")
    assert MySQLEndpoint("127.0.0.1", 3306, "root", "") == parse_mysql_url("mysql://root@127.0.0.1")


@pytest.mark.parametrize("url", ["root@127.0.0.1", "http://root@127.0.0.1", "mysql://127.0.0.1"])
def test_parse_mysql_url_refuses_others(url: str) -> None:
    """A text that names no server and user is an error that shows the form."""
    with pytest.raises(ValueError, match="must be mysql://user:password@host:port"):
        parse_mysql_url(url)
