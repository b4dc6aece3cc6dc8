"""Making items of the shadow equal to the authority's rows, under the locks of a unit of work: repairs and sweeps."""

from collections.abc import Iterable
from uuid import uuid4

from adapters.changes import ItemKey
from adapters.deadline import Deadline
from adapters.ports.store import Shadow, ShadowOutcome, ShadowResult, UnitOfWork


async def converge(shadow: Shadow, unit: UnitOfWork, listed: Iterable[ItemKey], deadline: Deadline) -> ShadowResult:
    """Make the listed items what the change's images say, above any debris found, while the unit holds its locks."""
    keys = list(listed)
    op_id = uuid4()
    result = await shadow.write(shadow.converge(unit.change, listed=keys, op_id=op_id), deadline=deadline)
    while result.outcome is ShadowOutcome.FENCE_REFUSED and result.debris:
        # Each round takes the plan past the debris of one more transaction; the deadline ends a hopeless one.
        for aggregate, version in result.debris.items():
            await unit.rebump(aggregate, above=version)
        result = await shadow.write(shadow.converge(unit.change, listed=keys, op_id=op_id), deadline=deadline)
    return result
