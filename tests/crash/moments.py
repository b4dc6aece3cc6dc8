"""The moments at which a write can lose its process: at a named step, or with a message on its way.

lock ─ mutate ─ PERFORMED ─ intent ─ INTENT_OPENED ─ request ─ SHADOW_WRITTEN ─ COMMIT ─ COMMITTED ─ answer
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from proxy.dual_write import Step
from tests.fleet.wires import Fate


class Place(StrEnum):
    """The wires."""

    MYSQL = "mysql"
    DYNAMODB = "dynamodb"


@dataclass(frozen=True, slots=True)
class Moment:
    """Either the victim dies at its `step`, or when a message with `marker` has left it on the wire of `place`.

    `fate` is what becomes of that message; a late one arrives when all is repaired. `is_committed`: whether the write
    must be there afterwards, or must not.
    """

    name: str
    step: Step | None = None
    place: Place | None = None
    marker: bytes = b""
    fate: Fate = Fate.LOSE
    is_late: bool = False
    is_committed: bool = False

    def __str__(self) -> str:
        return self.name


LOCKING: Final = b"INTO crossfade_version"
OPENING: Final = b"INSERT INTO crossfade_intent"
REQUEST: Final = b"TransactWriteItems"
COMMITTING: Final = b"UNION SELECT 2"
"""Stands in the statements that settle a write's own intent, which end with COMMIT."""

MOMENTS: Final = (
    Moment("locks asked for", place=Place.MYSQL, marker=LOCKING, fate=Fate.CUT),
    Moment("performed", step=Step.PERFORMED),
    Moment("intent on its way", place=Place.MYSQL, marker=OPENING, fate=Fate.CUT),
    Moment("intent opened", step=Step.INTENT_OPENED),
    Moment("request lost", place=Place.DYNAMODB, marker=REQUEST),
    Moment("request on its way", place=Place.DYNAMODB, marker=REQUEST, fate=Fate.CUT),
    Moment("request late", place=Place.DYNAMODB, marker=REQUEST, fate=Fate.CUT, is_late=True),
    Moment("shadow written", step=Step.SHADOW_WRITTEN),
    Moment("commit lost", place=Place.MYSQL, marker=COMMITTING),
    Moment("commit on its way", place=Place.MYSQL, marker=COMMITTING, fate=Fate.CUT, is_committed=True),
    Moment("committed", step=Step.COMMITTED, is_committed=True),
)
