"""A shop as its callers see it: the one interface of the suite, and the JSON that goes in and out.

Money is Decimal on both sides, so that its digits are what is on the wire; times are strings.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from adapters.operations import catalogue

Json = Any
"""What a caller decodes. Its shape is what the suite is about, so no type says it beforehand."""
Record = dict[str, Json]

OPERATIONS = catalogue()


@dataclass(frozen=True, slots=True)
class Refusal:
    """The interface of an error: what a caller may rely on."""

    code: str
    reason: str | None = None
    subject: Mapping[str, object] | None = None


class CallFailed(Exception):
    """A call was answered with a problem; `problem` is the whole of it, decoded."""

    def __init__(self, problem: Mapping[str, Json]) -> None:
        super().__init__(f"{problem['code']}: {problem.get('detail')} {problem.get('errors', '')}")
        self.problem = dict(problem)
        self.code: str = problem["code"]
        self.reason: str | None = problem.get("reason")
        self.subject: Mapping[str, object] | None = problem.get("subject")

    @property
    def refusal(self) -> Refusal:
        """What a caller may rely on."""
        return Refusal(self.code, self.reason, self.subject)


class Shop(Protocol):
    """A running shop, empty at the start of each test."""

    @property
    def is_dual(self) -> bool:
        """Whether the second database is written too, so that its rules hold."""

    async def send(self, operation: str, body: bytes) -> Json:
        """Make a call with this body; the decoded result. Raises CallFailed."""

    async def plant(self, table: str, /, **columns: object) -> int:
        """Put a row into a table beside the proxy, as an older program may have left it; its id.

        Columns not given have the schema's defaults. Both databases of a dual shop have it on return.
        """

    async def next_second(self) -> None:
        """Return in a later second of the shop's clock."""

    async def settle_and_compare(self) -> None:
        """Wait until no write is unsettled, then demand that both databases of a dual shop are equal."""

    async def call(self, operation: str, /, **arguments: object) -> Json:
        """Make a call with these arguments; the decoded result. Raises CallFailed."""
        return await self.send(operation, encode(arguments))


def encode(value: object) -> bytes:
    """The JSON of a call. Decimals are written digit by digit."""
    return _text(value).encode()


def decode(body: bytes) -> Json:
    """What a caller reads out of an answer."""
    return json.loads(body, parse_float=Decimal)


def _text(value: object) -> str:
    match value:
        case Decimal():
            return format(value, "f")
        case dict():
            return "{" + ", ".join(f"{json.dumps(name)}: {_text(member)}" for name, member in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(_text, value)) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)
