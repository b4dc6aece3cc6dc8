"""What a client changes of its own, what may be seen of that, and the reads that show it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.conformance.shop import Json
from tests.fleet.ledger import Told


@dataclass(slots=True)
class Fact:
    """Something that one client alone changes: what it is once all is settled, and what a read may show until then.

    Whether an unknown write was done is not told. One that is not applied may be seen for a moment, until it is undone.
    """

    settled: set[Any]
    visible: set[Any] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.visible = self.visible or set(self.settled)

    def become(self, told: Told, values: Iterable[Any]) -> None:
        """A write was to make it one of these values."""
        new = set(values)
        self.visible |= new
        if told is Told.APPLIED:
            self.settled = self.visible = new
        elif told is Told.UNKNOWN:
            self.settled |= new


def itself(value: Any) -> Any:  # noqa: ANN401  # of any fact
    """What shows the value itself."""
    return value


@dataclass(frozen=True, slots=True)
class Look:
    """A read, what it shows in its answer, and what it shows when the fact has a value."""

    operation: str
    arguments: Mapping[str, object]
    pick: Callable[[Json], Any]
    shows: Callable[[Any], Any] = itself

    def of(self, result: Json) -> object:
        """What an answer shows; the answer itself where it shows nothing of the kind."""
        try:
            return self.pick(result)
        except (TypeError, IndexError, KeyError):
            return f"nothing: {result}"
