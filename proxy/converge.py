"""Making items of the shadow equal to the authority's rows, under the locks of a unit of work: repairs and sweeps."""

from collections.abc import Iterable
from typing import Final
from uuid import uuid4

from adapters.changes import ItemKey
from adapters.deadline import Deadline
from adapters.ports.store import Shadow, ShadowOutcome, ShadowResult, UnitOfWork

REBUMP_TRIES: Final = 3


async def converge(shadow: Shadow, unit: UnitOfWork, listed: Iterable[ItemKey], deadline: Deadline) -> ShadowResult:
    """Make the listed items what the change's images say, above any debris found, while the unit holds its locks."""
    keys = list(listed)
    op_id = uuid4()
    result = await shadow.write(shadow.converge(unit.change, listed=keys, op_id=op_id), deadline=deadline)
    for _ in range(REBUMP_TRIES):
        if result.outcome is not ShadowOutcome.FENCE_REFUSED or result.aggregate is None:
            break
        await unit.rebump(result.aggregate, above=result.stored_version)
        result = await shadow.write(shadow.converge(unit.change, listed=keys, op_id=op_id), deadline=deadline)
    return result
