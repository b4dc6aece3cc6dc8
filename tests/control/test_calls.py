"""The calls of the admin API on real databases: what they answer, what they refuse, and in what form."""

from collections.abc import Awaitable, Callable

import pytest

from tests.control.listeners import Listeners, Reply, listening, plant_user, token_for
from tests.fleet.estate import Estate
from tests.fleet.waiting import until

Call = Callable[..., Awaitable[Reply]]


@pytest.fixture(name="call")
def fixture_call(listeners: Listeners, admin_id: int) -> Call:
    """Calls of an admin: a method, a path, a body."""

    async def call(method: str, path: str, body: object = None) -> Reply:
        return await listeners.send(method, f"/admin{path}", body, token=token_for(admin_id))

    return call


async def test_the_state_tells_flags_and_who_set_them(call: Call) -> None:
    """Both views of the flags, and the version that a change can name."""
    data = (await call("GET", "/flags/status")).data
    assert (2, True, False) == (
        data["migration_phase"],
        data["flags"]["dual_write_enabled"],
        data["routes"]["READ_DDB"],
    )
    assert data["version"] >= 1


async def test_the_status_has_everything(call: Call, admin_id: int) -> None:
    """What an admin looks at before a move."""
    data = (await call("GET", "/migration/status")).data
    assert admin_id
    assert {"mysql", "dynamodb"} == {each["name"] for each in data["database_status"]}
    assert {"user", "product", "order", "category", "cart"} == {each["entity"] for each in data["validation"]}
    assert (2, 0, []) == (data["current_phase"], data["pending_intents"], data["faults"])


async def test_flags_are_set_and_reset(call: Call) -> None:
    """The answer names what was changed; a stale version is refused, and nothing is changed."""
    version = (await call("GET", "/flags/status")).data["version"]
    body = {"flags": {"compare_percent": 50}, "reason": "less load", "version": version}
    data = (await call("POST", "/flags/set", body)).data
    assert {"compare_percent": 50} == data["updated_flags"]
    assert 50 == data["current_flags"]["compare_percent"]
    members = (await call("POST", "/flags/set", body)).problem(409, "conflict")
    assert "stale_version" == members["reason"]
    assert 100 == (await call("POST", "/flags/reset")).data["current_flags"]["compare_percent"]


async def test_a_closed_gate_names_what_holds_it_shut(call: Call) -> None:
    """409 with the failing checks; with force and a reason it is passed, and each way is on record."""
    gate = (await call("GET", "/migration/gate?target=3")).data
    assert gate["is_open"] is False
    members = (await call("POST", "/migration/phase", {"phase": 3})).problem(409, "conflict")
    assert "gate_closed" == members["reason"]
    shut = [check["name"] for check in gate["checks"] if check["verdict"] != "passed"]
    assert shut == [check["name"] for check in members["errors"]]
    assert (await call("POST", "/migration/phase", {"phase": 3, "force": True})).status == 400
    moved = (await call("POST", "/migration/phase", {"phase": 3, "force": True, "reason": "a drill"})).data
    assert (2, 3) == (moved["previous_phase"], moved["new_phase"])
    back = (await call("POST", "/migration/rollback", {"reason": "enough"})).data
    assert (3, 2) == (back["previous_phase"], back["new_phase"])
    page = (await call("GET", "/migration/logs?kind=audit&limit=1")).data
    older = (await call("GET", f"/migration/logs?kind=audit&limit=1&cursor={page['next_cursor']}")).data
    assert ["enough", "a drill"] == [entry["data"]["reason"] for entry in page["logs"] + older["logs"]]
    assert "root" == page["logs"][0]["data"]["who"]
    assert older["total_count"] == page["total_count"] >= 2


async def test_a_validation_runs_and_can_be_looked_at(call: Call) -> None:
    """202 with the job's id, then its progress, then what it found; an ended one is not changed by a cancel."""
    reply = await call("POST", "/migration/validate", {"entities": ["category"]})
    assert 202 == reply.status
    job_id = reply.data["id"]

    async def ended() -> bool:
        return bool((await call("GET", f"/migration/validate/{job_id}")).data["job"]["state"] != "running")

    await until("the comparison to end", ended)
    job = (await call("POST", f"/migration/validate/{job_id}/cancel")).data["job"]
    assert ("done", ["category"], True) == (job["state"], job["entities"], job["is_equal"])
    (await call("GET", "/migration/validate/999999")).problem(404, "not_found")


async def test_users_are_promoted_and_demoted(call: Call, estate: Estate, admin_id: int) -> None:
    """404 and 409 say why not; the last super admin stays one; no answer holds a hash."""
    eve = await plant_user(estate, "eve")
    promoted = (await call("POST", f"/users/{eve}/promote")).data["user"]
    assert (eve, True) == (promoted["id"], promoted["super_admin"])
    assert "already_so" == (await call("POST", f"/users/{eve}/promote")).problem(409, "conflict")["reason"]
    listed = (await call("GET", "/users/super-admins")).data
    assert (["eve", "root"], 2) == ([user["username"] for user in listed["super_admins"]], listed["total_count"])
    assert (await call("POST", f"/users/{eve}/demote")).data["user"]["super_admin"] is False
    members = (await call("POST", f"/users/{admin_id}/demote")).problem(409, "conflict")
    assert "last_super_admin" == members["reason"]
    (await call("POST", "/users/999999/promote")).problem(404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "body", "faults"),
    [
        ("POST", "/flags/set", {}, ["flags"]),
        ("POST", "/flags/set", {"flags": {}, "why": 1}, ["flags", "why"]),
        ("POST", "/flags/set", {"flags": {"compare_percent": 101}}, ["flags"]),
        ("POST", "/flags/set", {"flags": {"no_flag": True}}, ["no_flag"]),
        ("POST", "/migration/phase", {"phase": 6, "force": "yes"}, ["force", "phase"]),
        ("POST", "/migration/phase", {"phase": True}, ["phase"]),
        ("POST", "/migration/validate", {"entities": ["user", "x"], "mode": "half"}, ["entities", "mode"]),
        ("GET", "/migration/gate?target=x&to=3", None, ["target", "to"]),
        ("GET", "/migration/logs?kind=none&limit=0", None, ["kind", "limit"]),
        ("GET", "/migration/validate/x", None, ["id"]),
        ("POST", "/users/0/promote", {}, ["id"]),
    ],
)
async def test_wrong_values_are_all_named(call: Call, method: str, path: str, body: object, faults: list[str]) -> None:
    """All at once, unknown fields among them; nothing is done."""
    members = (await call(method, path, body)).problem(400, "invalid_argument")
    assert faults == sorted({error["path"] for error in members["errors"]})


async def test_what_does_not_exist_is_a_problem(call: Call) -> None:
    """An unknown path, another method, a body that is no object or too large."""
    (await call("GET", "/nothing")).problem(404, "not_found")
    reply = await call("PUT", "/flags/set", {})
    assert "POST" == reply.headers["Allow"]
    reply.problem(405, "invalid_argument")
    (await call("POST", "/flags/reset", [1])).problem(400, "invalid_argument")
    (await call("POST", "/flags/reset", {"reason": "x" * 70_000})).problem(413, "payload_too_large")


async def test_the_right_is_read_where_it_can_be(estate: Estate, admin_id: int) -> None:
    """In phase 3 an admin is known also while one database is away: the brake does not hang on what fails."""
    async with listening(estate) as listeners:
        token, worker = token_for(admin_id), listeners.shop.worker
        await listeners.shop.copy()
        body = {"phase": 3, "force": True, "reason": "a drill"}
        assert (await listeners.send("POST", "/admin/migration/phase", body, token=token)).data["new_phase"] == 3

        async def is_seen() -> bool:
            return worker.snapshot.current().flags.dual_read

        await until("the worker to see the move", is_seen)
        for guard in worker.guards.values():
            while not guard.breaker.is_open:
                guard.breaker.failed()
            reply = await listeners.send("GET", "/admin/users/super-admins", token=token)
            assert ["root"] == [user["username"] for user in reply.data["super_admins"]]
            guard.breaker.succeeded()
        reply = await listeners.send("POST", "/admin/migration/rollback", {"to": 2, "reason": "over"}, token=token)
        assert reply.data["new_phase"] == 2
