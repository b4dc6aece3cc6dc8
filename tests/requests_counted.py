"""What reads ask of DynamoDB, counted at the one client that all requests pass; and indexes that are late there."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from adapters.deadline import Deadline
from adapters.dynamodb.client import DynamoDBClient
from adapters.dynamodb.wire import Payload, Response
from adapters.operations import Operation
from adapters.ports.store import Arguments, Reader
from proxy.shown import COMPANIONS, rows_in

LIMIT_S: Final = 10.0


class CountingClient(DynamoDBClient):
    """A client that counts the requests answered, by action, and the items that they read."""

    def __init__(self, client: DynamoDBClient) -> None:
        super().__init__(client.endpoint)
        self.actions: Counter[str] = Counter()
        self.items = 0

    def begin(self) -> None:
        """Count from zero."""
        self.actions.clear()
        self.items = 0

    async def send(
        self, action: str, payload: Payload, *, deadline: Deadline | None = None, operation: str = ""
    ) -> Response:
        """See DynamoDBClient."""
        answer = await super().send(action, payload, deadline=deadline, operation=operation)
        self.actions[action] += 1
        self.items += items_in(action, answer)
        return answer


class LateIndexClient(DynamoDBClient):
    """A client of a service whose indexes have not heard of anything yet."""

    def __init__(self, client: DynamoDBClient) -> None:
        super().__init__(client.endpoint)

    async def send(
        self, action: str, payload: Payload, *, deadline: Deadline | None = None, operation: str = ""
    ) -> Response:
        """See DynamoDBClient."""
        answer = await super().send(action, payload, deadline=deadline, operation=operation)
        return {**answer, "Items": [], "Count": 0} if "IndexName" in payload else answer


def items_in(action: str, answer: Response) -> int:
    """The items that a request read."""
    match action:
        case "BatchGetItem":
            return sum(map(len, answer["Responses"].values()))
        case "TransactGetItems":
            return sum("Item" in each for each in answer["Responses"])
        case "Query" | "Scan":
            return int(answer["ScannedCount"])
        case _:
            return int("Item" in answer)


async def rows_shown(
    reader: Reader, operations: Mapping[str, Operation], operation: Operation, arguments: Arguments
) -> int:
    """The rows that an answer is made of, live values of others included; of a number or word, what it speaks of."""
    telling = operations[COMPANIONS.get(operation.full_name, operation.full_name)]
    answer = await reader.read(telling, arguments, Deadline.after(LIMIT_S))
    return len({ref for ref, _ in rows_in(answer)})
