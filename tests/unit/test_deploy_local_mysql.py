"""Which of the archive's MySQL packages are taken."""

import pytest

from deploy.local.mysql import choose_packages
from deploy.local.process import ServerError


def test_choose_packages_takes_names_without_a_version() -> None:
    """Debian's current packages carry no version in their names; look-alikes are left alone."""
    names = ["mysql-client-core", "mysql-server-core", "mysql-server-core-dbgsym", "mysql-server-core-8.4"]
    assert ["mysql-client-core", "mysql-server-core"] == choose_packages(names)


def test_choose_packages_takes_the_newest_version() -> None:
    """Versions are compared as numbers."""
    names = ["mysql-server-core-8.4", "mysql-server-core-10.0", "mysql-client-core-10.0", "mysql-client-core-8.4"]
    assert ["mysql-client-core-10.0", "mysql-server-core-10.0"] == choose_packages(names)


def test_choose_packages_says_what_to_do() -> None:
    """An archive without MySQL is an error that names the way out."""
    with pytest.raises(ServerError, match=r"no mysql-server-core; install MySQL >= 8\.0\.22"):
        choose_packages(["mariadb-server-core"])
