"""What the control plane says, for pages to show: everything once."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from adapters.flags import ControlState, Flags
from adapters.records import User
from control_ui.forms import Form
from control_ui.pages import Pages, Rules
from control_ui.ports import Refused
from control_ui.views import parts
from control_ui.visit import Missing
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
    report = {"differences": [{"path": "first_name", "mysql": NASTY, "dynamodb": None}]}
    data = {"before": {"flag": False}, "after": {"flag": True}, "correlation_id": "call-1", "report": report}
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


def filled() -> dict[str, str]:
    """Every page, in the states that it can be in."""
    made, visitor = pages(), Reader()
    missing = Missing("MySQL cannot be reached.")
    refusal = Refused(409, f"Refused for {NASTY}.", details=[NASTY], is_gate_closed=True)
    whole = {**parts(status(), RULES), **overview()}
    lost = overview(gates=dict.fromkeys(PHASES, missing), mismatches=missing, audit=missing, admins=missing, done=None)
    half_known = status(statistics=None, proxies=None, pending_intents=None, jobs=(), is_copy_stale=True)
    move = {"visitor": visitor, "target": 4, **parts(status(), RULES)}
    shut = {"visitor": visitor, "refusal": refusal, "repeated": {"to": "4", "version": "7"}, "action": "/x"}
    return {
        "overview": made.text("overview.html", whole),
        "overview lost": made.text("overview.html", {**parts(missing, RULES), **lost}),
        "overview half known": made.text("overview.html", {**whole, **parts(half_known, RULES)}),
        "overview custom": made.text(
            "overview.html", {**whole, **parts(status(Flags(dual_write=True, dual_read=True)), RULES)}
        ),
        "overview first phase": made.text("overview.html", {**whole, **parts(status(Flags()), RULES), "admins": []}),
        "login": made.text("login.html", {"refusal": None, "token": "t"}),
        "login refused": made.text("login.html", {"refusal": refusal, "token": "t"}),
        "forbidden": made.text("forbidden.html", {"refusal": refusal}),
        "closed": made.text("closed.html", {"refusal": refusal}),
        "refused": made.text("refused.html", {"visitor": visitor, "refusal": refusal}),
        "shut": made.text("shut.html", {**shut, "form": Form({"reason": NASTY})}),
        "move": made.text("move.html", {**move, "gate": gate()}),
        "move open": made.text("move.html", {**move, "gate": gate(is_open=True)}),
        "move unknown": made.text("move.html", {**move, "gate": missing}),
        "job": made.text("job.html", {"visitor": visitor, "job": job()}),
        "job done": made.text("job.html", {"visitor": visitor, "job": job(JobState.DONE)}),
        "log": made.text("log.html", {"visitor": visitor, "kind": None, "log": entries(*LogKind)}),
        "log empty": made.text("log.html", {"visitor": visitor, "kind": "audit", "log": entries()}),
    }
