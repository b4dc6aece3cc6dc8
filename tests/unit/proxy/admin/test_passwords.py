"""What `proxy.admin.passwords` promises: right is right, and everything else takes as long as wrong does."""

from typing import Final

import bcrypt
import pytest

from adapters.deadline import Deadline
from proxy.admin.passwords import COST, Passwords
from proxy.shedding import Limiter

PASSWORD: Final = "correct horse battery staple"


def hashed(password: str, *, cost: int = 4) -> str:
    """A hash as the shop makes it."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost)).decode()


@pytest.fixture(name="passwords")
def fixture_passwords() -> Passwords:
    """Passwords of a shop that hashes at the least cost."""
    passwords = Passwords(Limiter("the login", slots=1, queue=0, wait_s=1.0, on_shed=lambda: None))
    passwords.tune([hashed(PASSWORD), "no hash"])
    return passwords


async def is_right(passwords: Passwords, password: str, password_hash: str | None) -> bool:
    """Ask with time enough."""
    return await passwords.is_right(password, password_hash, Deadline.after(30))


@pytest.mark.parametrize("variant", ["2a", "2b", "2y"])
async def test_the_right_password_is_right(passwords: Passwords, variant: str) -> None:
    """By whichever variant of bcrypt the shop's library writes."""
    password_hash = hashed(PASSWORD).replace("$2b$", f"${variant}$")
    assert await is_right(passwords, PASSWORD, password_hash)
    assert not await is_right(passwords, f"{PASSWORD} ", password_hash)


@pytest.mark.parametrize(
    "password_hash",
    [None, "", "plain", PASSWORD, "$2b$04$short", "$2b$31$" + "a" * 53, "$2b$04$" + "a" * 53, "$2b$04$" + "." * 53],
)
async def test_nothing_fits_what_is_no_hash(passwords: Passwords, password_hash: str | None) -> None:
    """Nor does it break the login, or take for ever."""
    for password in (PASSWORD, "", "plain", "\0", "\udcff"):
        assert not await is_right(passwords, password, password_hash)


async def test_long_passwords_count_as_far_as_bcrypt_looks(passwords: Passwords) -> None:
    """The shop's library has cut them there when it made the hash."""
    password_hash = hashed("x" * 72)
    assert await is_right(passwords, "x" * 80, password_hash)
    assert not await is_right(passwords, "x" * 71, password_hash)


def test_nobodys_password_costs_what_the_shops_do(passwords: Passwords) -> None:
    """The cost is that of the slowest hash; where there is none to go by, the usual one."""
    assert "$04$" in passwords.nobody
    passwords.tune([hashed(PASSWORD, cost=5), hashed(PASSWORD)])
    assert "$05$" in passwords.nobody
    passwords.tune([])
    assert f"${COST}$" in passwords.nobody
