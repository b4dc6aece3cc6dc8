"""The unit of work of a write: one connection, one transaction, few round trips.

    lock    BEGIN, control row FOR SHARE, version rows in lock order (bumped), images before      one round trip
    write   the mutation, images after (and the version row of what was just created)             one round trip
    commit  the call's intent deleted, checked, COMMIT                                            one round trip

BEGIN and the control row travel with whatever is sent first. In phase 1 only `ADMINS` and `TREE` are locked (two
demotions must not leave no super admin, two moves must not close a circle of categories) and nothing is bumped for the
shadow's sake. Locks are asked for in ascending order; one that comes too late for it starts the call over.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from adapters.changes import (
    ADMINS,
    TREE,
    Aggregate,
    AggregateKind,
    Change,
    Image,
    Ref,
    RowKind,
    user_aggregate,
)
from adapters.deadline import Deadline
from adapters.errors import DeadlineExceeded, Unavailable
from adapters.flags import ControlState
from adapters.mysql.connection import Connection, ResultSet
from adapters.mysql.errors import SubqueryOfTwoRows
from adapters.mysql.images import images_in, statements_for, statements_for_created
from adapters.mysql.statements import Statement, joined
from adapters.ports.store import CommitLost, Restart, RestartCause

BEGIN = Statement("BEGIN")
CONTROL = Statement("SELECT epoch FROM crossfade_control WHERE id = 1 FOR SHARE")
BUMP = """INSERT INTO crossfade_version (kind, id, version) VALUES (%s, %s, LAST_INSERT_ID(1))
 ON DUPLICATE KEY UPDATE version = LAST_INSERT_ID(version + 1)"""
# An id may have a version row before it has a row: somebody looked for a record of that id, or the server gave the id
# before, and lost its count in a crash.
CREATE_VERSION = """INSERT INTO crossfade_version (kind, id, version, n) VALUES (%s, @created, 1, 0)
 ON DUPLICATE KEY UPDATE version = LAST_INSERT_ID(version + 1), n = 0"""
SEED = "INSERT IGNORE INTO crossfade_version (kind, id, version) VALUES (%s, %s, 0)"
SHARE = "SELECT version FROM crossfade_version WHERE kind = %s AND id = %s FOR SHARE"
NOWAIT = "SELECT version FROM crossfade_version WHERE kind = %s AND id = %s FOR UPDATE NOWAIT"
REBUMP = "UPDATE crossfade_version SET version = %s WHERE kind = %s AND id = %s"
COUNT_ORDERS = "SELECT user_id, COUNT(*) FROM orders WHERE user_id IN %s GROUP BY user_id"
COUNT_ADMINS = Statement("SELECT COUNT(*) FROM users WHERE super_admin")
REMEMBER_CREATED = Statement("SET @created = LAST_INSERT_ID()")
SETTLE_OWN = "DELETE FROM crossfade_intent WHERE op_id = %s AND state = 'open'"
JOURNAL_OWN = "UPDATE crossfade_intent SET state = 'journalled' WHERE op_id = %s AND state = 'open'"
# A subquery of two rows is an error (1242), which stops the statements behind it: the COMMIT is not reached.
ALL_HIT = "SELECT IF(ROW_COUNT() = %s, 1, (SELECT 1 UNION SELECT 2))"
COMMIT = Statement("COMMIT")
COMMIT_LIMIT_S = 5.0

ALWAYS_LOCKED = frozenset({ADMINS, TREE})


@dataclass(frozen=True, slots=True)
class Created:
    """The row that the statement numbered `inserted_by` of this very round trip inserts.

    `aggregate` is the kind of the aggregate that begins with it, None when the row joins one that exists.
    """

    kind: RowKind
    aggregate: AggregateKind | None = None
    inserted_by: int = 0


class Transaction:
    """The part of a unit of work that the repositories use."""

    def __init__(
        self, connection: Connection, state: ControlState, *, deadline: Deadline, also_lock: frozenset[Aggregate]
    ) -> None:
        self.change = Change()
        self.connection = connection
        self.deadline = deadline
        self.is_dual = state.flags.dual_write
        self._epoch = state.epoch
        self._also_lock = also_lock
        self._held: set[Aggregate] = set()
        self.is_begun = False

    async def lock(
        self,
        *aggregates: Aggregate,
        shared: Iterable[Aggregate] = (),
        before: Iterable[Ref] = (),
        reading: Sequence[Statement] = (),
        is_waiting: bool = True,
    ) -> list[ResultSet]:
        """Lock and bump aggregates, share others, read the images that will be `before`; then run `reading`.

        Returns the results of `reading`. Raises Restart when a lock comes out of order, when the epoch has moved, and
        when an aggregate is busy and `is_waiting` is false.
        """
        exclusive = sorted(self._missing({*aggregates, *self._also_lock}))
        sharing = [a for a in sorted(self._missing(shared)) if a not in exclusive] if self.is_dual else []
        self._also_lock = frozenset()
        self._check_order([*exclusive, *sharing])
        locks: list[Statement] = []
        for aggregate in sorted([*exclusive, *sharing]):
            locks += self._lock_statements(aggregate, is_shared=aggregate in sharing, is_waiting=is_waiting)
        refs = set(before)
        results = await self._send([*locks, *statements_for(refs), *reading])
        position = iter(results)
        for aggregate in sorted([*exclusive, *sharing]):
            self._note_lock(aggregate, position, is_shared=aggregate in sharing, is_waiting=is_waiting)
        self._held.update(exclusive, sharing)
        self.change.before.update(images_in(position, {ref.kind for ref in refs}))
        return list(position)

    async def write(
        self,
        *statements: Statement,
        after: Iterable[Ref] = (),
        created: Created | None = None,
        reading: Sequence[Statement] = (),
    ) -> list[ResultSet]:
        """Run statements that change rows and read the images that are `after`; one round trip.

        `created` names the row that one of the statements inserts: its image is read and its version row made as well.
        Returns the results of the statements, then those of `reading`.
        """
        self.change.is_written = True
        kinds = {ref.kind for ref in after}
        sent, own = list(statements), list(range(len(statements)))
        if created is not None:
            extra = [REMEMBER_CREATED, *self._create_version(created)]
            sent[created.inserted_by + 1 : created.inserted_by + 1] = extra
            own = [i if i <= created.inserted_by else i + len(extra) for i in own]
            kinds |= {created.kind}
        counting = self._counting(kinds)
        images = [*(statements_for_created(created.kind) if created else ()), *statements_for(after)]
        received = await self._send([*sent, *images, *counting.statements, *reading])
        results = iter(received[len(sent) :])
        if created is not None:
            begun = received[created.inserted_by + len(extra)]
            self._note_created(created, images_in(results, {created.kind}), begun)
        self.change.after.update(images_in(results, {ref.kind for ref in after}))
        self.change.counts.update(counting.counts_in(results))
        return [*(received[i] for i in own), *results]

    async def images(self, refs: Iterable[Ref]) -> dict[Ref, Image]:
        """The rows as they are now; missing ones are left out."""
        wanted = set(refs)
        counting = self._counting({ref.kind for ref in wanted})
        if not wanted:
            return {}
        results = iter(await self._send([*statements_for(wanted), *counting.statements]))
        found = images_in(results, {ref.kind for ref in wanted})
        self.change.counts.update(counting.counts_in(results))
        return found

    async def read(self, *statements: Statement) -> list[ResultSet]:
        """Run statements that only read; one round trip."""
        return await self._send(list(statements))

    async def rebump(self, aggregate: Aggregate, *, above: int) -> None:
        """Raise the version of a locked aggregate above one that the shadow has stored."""
        version = above + 1
        await self._send([Statement(REBUMP, (version, aggregate.kind, aggregate.id))])
        self.change.versions[aggregate] = version

    async def commit(self, op_id: UUID | None, *, parts: int) -> None:
        """Delete the call's open parts and COMMIT; see UnitOfWork."""
        await self._finish(SETTLE_OWN, op_id, parts)

    async def commit_journalled(self, op_id: UUID, *, parts: int) -> None:
        """Mark the call's open parts journalled and COMMIT; see UnitOfWork."""
        await self._finish(JOURNAL_OWN, op_id, parts)

    async def _finish(self, settling: str, op_id: UUID | None, parts: int) -> None:
        own = [] if op_id is None else [Statement(settling, (op_id.bytes,)), Statement(ALL_HIT, (parts,))]
        if self.deadline.remaining_s <= 0:
            msg = "the deadline passed before the commit"
            raise DeadlineExceeded(msg)
        # From here on only the server knows: the call's deadline no longer cuts, a limit of its own does.
        try:
            async with asyncio.timeout(COMMIT_LIMIT_S):
                await self.connection.batch(*joined([*own, COMMIT]))
        except SubqueryOfTwoRows as error:
            msg = "the write was settled by a repair in the meantime"
            raise Unavailable(msg) from error
        except (TimeoutError, Unavailable) as error:
            raise CommitLost from error

    async def _send(self, statements: list[Statement]) -> list[ResultSet]:
        """One round trip; the first of the transaction begins it and checks the epoch."""
        if self.is_begun:
            return await self._batch(statements) if statements else []
        self.is_begun = True
        _, control, *results = await self._batch([BEGIN, CONTROL, *statements])
        if control.rows[0][0] != self._epoch:
            raise Restart(RestartCause.EPOCH_MOVED)
        return results

    async def _batch(self, statements: list[Statement]) -> list[ResultSet]:
        async with self.deadline.scope("mysql.transaction"):
            return await self.connection.batch(*joined(statements))

    def _missing(self, aggregates: Iterable[Aggregate]) -> set[Aggregate]:
        wanted = set(aggregates) - self._held
        return wanted if self.is_dual else wanted & ALWAYS_LOCKED

    def _check_order(self, asked: list[Aggregate]) -> None:
        too_late = self.change.is_written or (self._held and asked and min(asked) < max(self._held))
        if asked and too_late:
            raise Restart(RestartCause.LOCKS_GREW, wants=asked)

    def _lock_statements(self, aggregate: Aggregate, *, is_shared: bool, is_waiting: bool) -> list[Statement]:
        key = (int(aggregate.kind), aggregate.id)
        if is_shared:
            return [Statement(SEED, key), Statement(SHARE, key)]
        return [Statement(BUMP, key)] if is_waiting else [Statement(NOWAIT, key), Statement(BUMP, key)]

    def _note_lock(
        self, aggregate: Aggregate, results: Iterator[ResultSet], *, is_shared: bool, is_waiting: bool
    ) -> None:
        bumped = next(results)
        if is_shared or not is_waiting:
            bumped = next(results)
        if not is_shared:
            self.change.versions[aggregate] = _version(bumped)

    def _create_version(self, created: Created) -> list[Statement]:
        if created.aggregate is None or not self.is_dual:
            return []
        return [Statement(CREATE_VERSION, (int(created.aggregate),))]

    def _note_created(self, created: Created, row: dict[Ref, Image], begun: ResultSet) -> None:
        """Take the image of a new row and, from the last statement that came with it, its aggregate's version."""
        self.change.after.update(row)
        if created.aggregate is not None and self.is_dual:
            (ref,) = row
            self.change.versions[Aggregate(created.aggregate, ref.id)] = _version(begun)

    def _counting(self, kinds: set[RowKind]) -> "_Counting":
        """What is to be counted for the fences of the aggregates locked so far."""
        is_counted = self.is_dual and kinds & {RowKind.USER, RowKind.ORDER}
        users = [a.id for a in sorted(self.change.versions) if a.kind is AggregateKind.USER] if is_counted else []
        return _Counting(users=tuple(users), has_admins=ADMINS in self.change.versions)


@dataclass(frozen=True, slots=True)
class _Counting:
    """The counts that fences carry: orders of these users, super admins."""

    users: tuple[int, ...]
    has_admins: bool

    @property
    def statements(self) -> list[Statement]:
        orders = [Statement(COUNT_ORDERS, (self.users,))] if self.users else []
        return [*orders, *([COUNT_ADMINS] if self.has_admins else [])]

    def counts_in(self, results: Iterator[ResultSet]) -> dict[Aggregate, int]:
        """The counts in the results of `statements`; a user without orders has 0."""
        counts: dict[Aggregate, int] = {}
        if self.users:
            found = {row[0]: row[1] for row in next(results).rows}
            counts.update({user_aggregate(user_id): int(found.get(user_id, 0)) for user_id in self.users})
        if self.has_admins:
            counts[ADMINS] = int(next(results).rows[0][0])
        return counts


def _version(bumped: ResultSet) -> int:
    """The version after a bump: 1 for a new row, else what LAST_INSERT_ID(version + 1) reported."""
    return 1 if bumped.affected == 1 else bumped.last_id
