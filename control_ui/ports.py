"""What the page needs of the proxy, as Protocols: what it shows, what an admin can do, and who comes in.

The composition root hands implementations over. Whatever they refuse or cannot learn they raise as Refused.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from aiohttp import web


class Flagged(Protocol):
    """The version of the flags in force, and who set them."""

    @property
    def epoch(self) -> int: ...
    @property
    def changed_by(self) -> str: ...
    @property
    def changed_at(self) -> datetime | None: ...
    @property
    def reason(self) -> str: ...


class Check(Protocol):
    """One condition of a gate with its evidence; `verdict` is passed, failed or not yet measured."""

    @property
    def name(self) -> str: ...
    @property
    def sentence(self) -> str: ...
    @property
    def verdict(self) -> str: ...
    @property
    def figure(self) -> str: ...
    @property
    def threshold(self) -> str: ...
    @property
    def measured_at(self) -> datetime | None: ...


class Gate(Protocol):
    """The checks before a move, and in sentences what the move does."""

    @property
    def target(self) -> int: ...
    @property
    def effects(self) -> Sequence[str]: ...
    @property
    def checks(self) -> Sequence[Check]: ...
    @property
    def is_open(self) -> bool: ...
    @property
    def closed_by(self) -> Sequence[Check]: ...


class Database(Protocol):
    """A database; `fault` says why it cannot be reached."""

    @property
    def name(self) -> str: ...
    @property
    def is_in_use(self) -> bool: ...
    @property
    def is_reachable(self) -> bool: ...
    @property
    def fault(self) -> str | None: ...


class Statistics(Protocol):
    """What came of the dual reads of an entity; `rate` and `bound` are shares from 0 to 1."""

    @property
    def entity(self) -> str: ...
    @property
    def compared(self) -> int: ...
    @property
    def matched(self) -> int: ...
    @property
    def transient(self) -> int: ...
    @property
    def mismatched(self) -> int: ...
    @property
    def errors(self) -> int: ...
    @property
    def skipped(self) -> int: ...
    @property
    def rate(self) -> float | None: ...
    @property
    def bound(self) -> float | None: ...


class Worker(Protocol):
    """A worker of the fleet, with the version it serves and how long ago it said so, in seconds."""

    @property
    def instance(self) -> str: ...
    @property
    def epoch(self) -> int: ...
    @property
    def age_s(self) -> float: ...
    @property
    def is_behind(self) -> bool: ...


class Job(Protocol):
    """A comparison or copy; `state` is running, done, failed or cancelled."""

    @property
    def id(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def entities(self) -> Sequence[str]: ...
    @property
    def state(self) -> str: ...
    @property
    def done(self) -> int: ...
    @property
    def total(self) -> int: ...
    @property
    def difference_count(self) -> int: ...
    @property
    def differences(self) -> Sequence[Mapping[str, object]]: ...
    @property
    def is_equal(self) -> bool | None: ...
    @property
    def started_by(self) -> str: ...
    @property
    def started_at(self) -> datetime: ...
    @property
    def updated_at(self) -> datetime: ...
    @property
    def error(self) -> str | None: ...


class LogEntry(Protocol):
    """One entry of the log; `kind` is audit, mismatch, write_failure or repair."""

    @property
    def kind(self) -> str: ...
    @property
    def id(self) -> int: ...
    @property
    def at(self) -> datetime: ...
    @property
    def summary(self) -> str: ...
    @property
    def data(self) -> Mapping[str, object]: ...


class LogPage(Protocol):
    """Entries, the newest first; `next_cursor` leads to older ones."""

    @property
    def entries(self) -> Sequence[LogEntry]: ...
    @property
    def total_count(self) -> int: ...
    @property
    def next_cursor(self) -> str | None: ...


class Status(Protocol):
    """All there is to see; what could not be read is None, and `faults` says why."""

    @property
    def state(self) -> Flagged: ...
    @property
    def phase(self) -> int | None: ...
    @property
    def description(self) -> str: ...
    @property
    def flags(self) -> Mapping[str, object]: ...
    @property
    def routes(self) -> Mapping[str, bool]: ...
    @property
    def copy_age_s(self) -> float: ...
    @property
    def is_copy_stale(self) -> bool: ...
    @property
    def databases(self) -> Sequence[Database]: ...
    @property
    def statistics(self) -> Sequence[Statistics] | None: ...
    @property
    def pending_intents(self) -> int | None: ...
    @property
    def oldest_intent_age_s(self) -> float | None: ...
    @property
    def jobs(self) -> Sequence[Job]: ...
    @property
    def proxies(self) -> Sequence[Worker] | None: ...
    @property
    def faults(self) -> Sequence[str]: ...


class SuperAdmin(Protocol):
    """A user with the right."""

    @property
    def id(self) -> int: ...
    @property
    def username(self) -> str: ...
    @property
    def email(self) -> str: ...


class Change(Protocol):
    """What a change of flags did: `updated` by name, and the workers that have not confirmed it."""

    @property
    def updated(self) -> Mapping[str, object]: ...
    @property
    def unconfirmed(self) -> Sequence[str]: ...


class Override(Protocol):
    """The flags that a browser has set for itself; not in force once the flags of all were changed."""

    @property
    def flags(self) -> Mapping[str, object]: ...
    @property
    def expires_at(self) -> datetime: ...
    @property
    def is_in_force(self) -> bool: ...


class Desk(Protocol):
    """What one admin can see and do; every change is on record under that admin's name and address."""

    async def status(self) -> Status:
        """All there is to see."""

    async def gate(self, target: int) -> Gate:
        """The checks before a move to a phase, measured now."""

    async def set_flags(
        self, changes: Mapping[str, object], *, reason: str, version: int | None, is_forced: bool
    ) -> Change:
        """Set flags by name, all or none, if `version` is still in force; `is_forced` goes past a shut gate."""

    async def reset_flags(self, *, reason: str, version: int | None) -> Change:
        """Set all flags to the values of the phase."""

    async def move(self, phase: int, *, reason: str, version: int | None, is_forced: bool) -> Change:
        """Move to a phase."""

    async def roll_back(self, *, reason: str, to: int | None, is_forced: bool) -> Change:
        """Move to the previous phase, or a lower one; `is_forced` goes on without workers that are silent."""

    async def start_validation(self, entities: Sequence[str]) -> Job:
        """Start a comparison of all rows of these entities."""

    async def job(self, job_id: int) -> Job:
        """A job."""

    async def cancel_job(self, job_id: int) -> Job:
        """Stop a job."""

    async def logs(self, *, kind: str | None, limit: int, cursor: str | None) -> LogPage:
        """Entries of one kind, or of all."""

    async def promote(self, user_id: int) -> None:
        """Make a user super admin."""

    async def demote(self, user_id: int) -> None:
        """Take the right away."""

    async def super_admins(self) -> Sequence[SuperAdmin]:
        """Who has the right."""


class Visitor(Protocol):
    """A super admin who sends a request."""

    @property
    def username(self) -> str: ...
    @property
    def csrf_token(self) -> str: ...
    @property
    def expires_at(self) -> datetime: ...
    @property
    def desk(self) -> Desk: ...
    @property
    def override(self) -> Override | None: ...

    def check_csrf(self, token: str) -> None:
        """Refuse a token that is not the session's."""

    async def set_override(self, response: web.StreamResponse, flags: Mapping[str, object]) -> None:
        """Have this browser read by other flags than all others."""

    def clear_override(self, response: web.StreamResponse) -> None:
        """Have this browser read as all others do."""


class Door(Protocol):
    """Who lets visitors in."""

    async def admit(self, request: web.Request) -> Visitor:
        """Whoever sends the request: refused with 401 without a session, with 403 without the right."""

    async def log_in(self, request: web.Request, response: web.StreamResponse, *, name: str, password: str) -> None:
        """Begin a session, and hand it to the browser with the response."""

    def log_out(self, response: web.StreamResponse) -> None:
        """Have the browser forget its session."""


class Refused(Exception):
    """Something was refused, or could not be learned: the HTTP status, a sentence, and more of them as details.

    With `is_gate_closed` the same may be asked for by force. `retry_after_s` says when it is worth trying again.
    """

    def __init__(
        self,
        status: int,
        sentence: str,
        *,
        details: Sequence[str] = (),
        is_gate_closed: bool = False,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.details = tuple(details)
        self.is_gate_closed = is_gate_closed
        self.retry_after_s = retry_after_s
