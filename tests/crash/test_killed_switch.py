"""Kill -9 in the middle of a change of phase, with every message on its way that it sends, of a command or a worker.

What is left is the state before or the one after, or phase 3 on the way down from 4, in the row, in the mirror as far
as it may lag or lead, in the audit, and in every worker; and nothing stands in the way of the next change.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import aiohttp
import jwt
import pytest
import pytest_asyncio

from proxy.flags.model import phase_of
from tests.conformance.shop import Shop
from tests.conformance.shops import is_full_proof
from tests.control.listeners import SECRET, plant_user
from tests.crash.death import KILLED, Fatal, Wires, on_wires, wired
from tests.crash.moments import REQUEST, Moment, Place
from tests.factories import make_user
from tests.fleet.clients import call
from tests.fleet.control import Hand, controlling
from tests.fleet.estate import Estate
from tests.fleet.proxies import ProxyProcess, command, must, phase_words, serving, started
from tests.fleet.waiting import until
from tests.fleet.wires import Fate, Hold

COMMIT: Final = b"\x03COMMIT"
MIRROR: Final = b"PutItem"
WAY: Final = (
    Moment("row asked for", place=Place.MYSQL, marker=b"WHERE id = 1 FOR UPDATE", fate=Fate.CUT),
    Moment("row changed", place=Place.MYSQL, marker=b"UPDATE crossfade_control SET epoch", fate=Fate.CUT),
    Moment("audit written", place=Place.MYSQL, marker=b"INSERT INTO crossfade_audit", fate=Fate.CUT),
    Moment("commit lost", place=Place.MYSQL, marker=COMMIT),
    Moment("commit on its way", place=Place.MYSQL, marker=COMMIT, fate=Fate.CUT),
    Moment("mirror lost", place=Place.DYNAMODB, marker=MIRROR),
    Moment("mirror on its way", place=Place.DYNAMODB, marker=MIRROR, fate=Fate.CUT),
)


@dataclass(frozen=True, slots=True)
class Change:
    """A change of phase that does not survive the `nth` message of the moment's kind."""

    before: int
    after: int
    moment: Moment
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.before} to {self.after}, {self.moment} {self.nth}"

    @property
    def possible(self) -> set[int]:
        """The phases that may be left."""
        return {self.before, self.after, *({3} if self.before == 4 and self.after < 3 else ())}


CHANGES: Final = (
    *(Change(2, 3, moment) for moment in WAY),
    *(Change(3, 4, moment) for moment in WAY),
    *(Change(4, 2, moment, nth) for moment in WAY for nth in (1, 2)),
)
FEW: Final = (Change(3, 4, WAY[4]), Change(4, 2, WAY[6]), Change(4, 2, WAY[4]))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ready(estate: Estate, proxy: ProxyProcess) -> AsyncIterator[ProxyProcess]:
    """The module's proxy, of a shop that has all its items; its workers tell which phase they serve."""
    await must(estate, "backfill")
    yield proxy


async def served_phase(proxy: ProxyProcess, user_id: int) -> str:
    """The phase that a read is served in."""
    url = f"http://{proxy.rpc}/rpc/user/find_by_id"
    async with aiohttp.ClientSession() as http, http.post(url, json={"id": user_id}) as response:
        return response.headers.get("X-Crossfade-Phase", "")


async def arrived(moment: Moment, wires: Wires) -> None:
    """The database has done what was on its way to it."""
    if moment.place is not None and moment.fate is Fate.CUT:
        await wires[moment.place].lost_answer()


async def check(estate: Estate, hand: Hand, proxy: ProxyProcess, user_id: int, change: Change) -> None:
    """Demand one of the possible states, everywhere."""
    state = await hand.state()
    phase = phase_of(state.flags)
    assert phase in change.possible

    async def is_served() -> bool:
        return await served_phase(proxy, user_id) == str(phase)

    await until(f"phase {phase} to be served", is_served)
    ((epochs, dual_write, target),) = await estate.rows(
        """SELECT (SELECT COUNT(*) FROM crossfade_audit WHERE kind = 'flags'), `after`->>'$.dual_write',
         `after`->>'$.read_from_dynamodb' FROM crossfade_audit WHERE kind = 'flags' ORDER BY id DESC LIMIT 1"""
    )
    assert epochs + 1 == state.epoch  # Every version but the first has its entry, and none has two.
    flags = (str(state.flags.dual_write).lower(), str(state.flags.read_from_dynamodb).lower())
    assert flags == (dual_write, target)

    async def is_mirrored() -> bool:
        mirrored = await hand.mirrored()
        return mirrored is not None and mirrored.epoch >= state.epoch and phase_of(mirrored.flags) in {phase, 3}

    await until("the mirror to follow", is_mirrored)
    before = state.epoch
    assert change.before == phase_of((await hand.move(change.before)).flags)
    assert before < await estate.epoch()


@pytest.mark.parametrize("change", CHANGES if is_full_proof() else FEW, ids=str)
async def test_command_killed_in_a_change_leaves_one_state(
    estate: Estate, shop: Shop, ready: ProxyProcess, change: Change
) -> None:
    """`crossfade phase set` dies; its locks go with it."""
    user = await make_user(shop)
    async with controlling(estate) as hand, wired(estate) as wires:
        await hand.move(change.before)
        async with started(estate, *phase_words(change.after, "to die"), **on_wires(wires)) as changing:
            Fatal(change.moment, change.nth, changing.kill).arm(wires)
            assert KILLED == await changing.end()
        await arrived(change.moment, wires)
        await check(estate, hand, ready, user["id"], change)


@pytest.mark.parametrize("change", CHANGES if is_full_proof() else FEW[1:2], ids=str)
async def test_worker_killed_in_a_change_leaves_one_state(
    estate: Estate, shop: Shop, ready: ProxyProcess, tmp_path: Path, change: Change
) -> None:
    """The worker that an admin asked over HTTP dies; the others of the fleet go on."""
    user = await make_user(shop)
    admin_id = await plant_user(estate, "root", is_admin=True)
    await must(estate, "backfill")
    claims = {"userId": admin_id, "exp": datetime.now(UTC) + timedelta(hours=1)}
    headers = {"Authorization": f"Bearer {jwt.encode(claims, SECRET)}"}
    async with (
        controlling(estate) as hand,
        wired(estate) as wires,
        serving(estate, tmp_path / "log", CROSSFADE_JWT_SECRET=SECRET, **on_wires(wires)) as dying,
        aiohttp.ClientSession(headers=headers) as http,
    ):
        await hand.move(change.before)
        body = {"phase": change.after, "reason": "to die", "force": True}
        fatal = Fatal(change.moment, change.nth, dying.kill)

        async def is_up_to_date() -> bool:
            return await served_phase(dying, user["id"]) == str(change.before)

        await until("the worker to serve the phase", is_up_to_date)
        fatal.arm(wires)
        with pytest.raises(aiohttp.ClientConnectionError):
            await http.post(f"http://{dying.admin}/admin/migration/phase", json=body)
        await arrived(change.moment, wires)
        await check(estate, hand, ready, user["id"], change)


async def test_change_behind_a_frozen_writer_names_it_and_gets_through(
    estate: Estate, shop: Shop, tmp_path: Path
) -> None:
    """A proxy stopped in the middle of a write holds the row; the command names its session, and kills it if told."""
    patient = {"CROSSFADE_WRITE_SESSION_TIMEOUT_S": "300", "CROSSFADE_CALL_DEADLINE_S": "60"}
    user = await make_user(shop)
    async with controlling(estate) as hand, wired(estate) as wires, aiohttp.ClientSession() as http:
        await hand.move(2)
        async with serving(estate, tmp_path / "log", **on_wires(wires), **patient) as frozen:
            hold = wires[Place.DYNAMODB].rule = Hold(REQUEST)
            async with asyncio.TaskGroup() as tasks:
                arguments = {"id": user["id"], "first_name": "Frozen"}
                writing = tasks.create_task(call(http, frozen, "user.update", arguments))
                await hold.arrival()
                frozen.pause()
                refused = await command(estate, *phase_words(3, "in vain"))
                assert 1 == refused.code
                assert "Nothing was changed" in refused.complained
                # A repairer that tries to get by may be among them for a moment; only who is still there is killed.
                (sessions,) = re.findall(r"in the way: ([\d, ]+)\.", refused.complained)
                kills = [word for session in sessions.split(", ") for word in ("--kill", session)]
                await must(estate, *phase_words(3, "past it"), *kills)
                assert 3 == phase_of((await hand.state()).flags)
                frozen.resume()
                hold.released.set()
    assert (503, "not_applied") == (writing.result()[0], writing.result()[1]["outcome"])
    await estate.drained()
    await estate.verify()
