"""What the control plane says, for pages to show: everything once."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from adapters.flags import ControlState, Flags
from adapters.records import User
from control_ui.pages import Pages, Rules
from proxy.admin.doorman_ports import Override
from proxy.admin.records import (
    Check,
    DatabaseStatus,
    EntityStatistics,
    Gate,
    Job,
    JobState,
    LogEntry,
    LogKind,
    LogPage,
    Proxy,
    Status,
    Verdict,
)
from proxy.flags.model import phase_of, routes, shown, with_phase

NOW = datetime(2026, 11, 21, 3, 4, 5, tzinfo=UTC)
PHASES = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five"}
RULES = Rules("MySQL", "DynamoDB", PHASES, ("user", "cart"), lambda: False)
NASTY = "<script>alert('x')</script>"
"""What a user may call himself, and where it must not become markup."""


def pages() -> Pages:
    """All templates."""
    return Pages(RULES)


def status(flags: Flags | None = None, **changes: object) -> Status:
    """All there is to see, in a phase or by flags."""
    set_flags = with_phase(Flags(), 3) if flags is None else flags
    seen = Status(
        state=ControlState(set_flags, 7, NASTY, NOW, f"because {NASTY}"),
        phase=phase_of(set_flags),
        description="a phase",
        flags=shown(set_flags),
        routes=routes(set_flags),
        copy_age_s=0.4,
        is_copy_stale=False,
        databases=(
            DatabaseStatus("mysql", is_in_use=True, is_reachable=True),
            DatabaseStatus("dynamodb", is_in_use=True, is_reachable=False, fault="no answer"),
        ),
        statistics=(EntityStatistics("user", 12345, 12340, 3, 2, 0, 9, 0.000162, 0.00051),),
        pending_intents=2,
        oldest_intent_age_s=61.5,
        jobs=(job(),),
        proxies=(Proxy("host-1", 7, 0.5, is_behind=False), Proxy("host-2", 6, 12.0, is_behind=True)),
        faults=("counts could not be read",),
    )
    return replace(seen, **changes)  # type: ignore[arg-type]  # The tests name fields of it.


def gate(target: int = 4, *, is_open: bool = False) -> Gate:
    """A gate with a check that passed and, unless it is open, two that hold it."""
    passed = Check("intents", "No intent is unsettled", Verdict.PASSED, "0", "0", NOW)
    failed = Check("verify", "A full verify was clean", Verdict.FAILED, "2 differences", "0", NOW)
    unknown = Check("preflight", "The data fit", Verdict.NOT_MEASURED, "-", "clean", None)
    return Gate(target, ("DynamoDB answers",), (passed,) if is_open else (passed, failed, unknown))


def job(state: JobState = JobState.RUNNING) -> Job:
    """A comparison of which a difference is known."""
    difference = {"path": "user#1.name", "mysql": NASTY, "dynamodb": None, "rows": [1, 2.5, True]}
    return Job(3, "verify", ("user", "cart"), state, 5, 20, 1, (difference,), None, "anna", NOW, NOW, None)


def entries(*kinds: LogKind) -> LogPage:
    """An entry of each kind."""
    data = {"before": {"flag": False}, "after": {"flag": True}, "differences": [{"path": "a", "mysql": NASTY}]}
    found = tuple(LogEntry(kind, 9, NOW, f"something by {NASTY}", data) for kind in kinds)
    return LogPage(found, len(found), "older" if found else None)


def admin() -> User:
    """A super admin."""
    return User(
        1,
        NASTY,
        "a@example.com",
        "secret-hash",
        None,
        None,
        is_seller=False,
        super_admin=True,
        created_at=NOW,
        updated_at=NOW,
    )


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks at the page."""

    username: str = NASTY
    csrf_token: str = "a-token"
    expires_at: datetime = NOW
    override: Override | None = field(default_factory=lambda: Override({"migration_phase": 4}, NOW, is_in_force=True))


def overview(**changes: object) -> Mapping[str, object]:
    """What the whole page is given besides its live parts."""
    given: dict[str, object] = {
        "visitor": Reader(),
        "gates": {number: gate(number, is_open=number > 2) for number in PHASES},
        "mismatches": entries(LogKind.MISMATCH),
        "audit": entries(LogKind.AUDIT),
        "admins": [admin()],
        "done": "The phase was changed.",
        "unconfirmed": "2",
    }
    return {**given, **changes}
