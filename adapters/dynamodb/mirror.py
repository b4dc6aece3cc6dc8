"""The mirror of the control state: the item CONTROL of Support."""

from adapters.deadline import Deadline
from adapters.dynamodb.client import DynamoDBClient, found_item
from adapters.dynamodb.errors import Failure, Verdict
from adapters.dynamodb.expressions import absent_or_older
from adapters.dynamodb.keys import Keys
from adapters.dynamodb.own_items import control_from, control_item
from adapters.flags import ControlState

LIMIT_S = 1.0
"""How long reading or writing the mirror may take: the poll goes on either way."""


class DynamoDBControlMirror:
    """See ControlMirror."""

    def __init__(self, client: DynamoDBClient, *, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    async def read(self) -> ControlState | None:
        """See ControlMirror."""
        key = self._keys.control()
        payload = {
            "TableName": self._client.table_name(key.table),
            "Key": self._keys.typed(key),
            "ConsistentRead": True,
        }
        item = found_item(await self._client.request("GetItem", payload, deadline=Deadline.after(LIMIT_S)))
        return None if item is None else control_from(item)

    async def write(self, state: ControlState) -> None:
        """See ControlMirror. The deciding copy may replace one of its own epoch: a switch may have failed half way."""
        payload = {
            "TableName": self._client.table_name(self._keys.control().table),
            "Item": control_item(self._keys, state),
            **absent_or_older("epoch", state.epoch + 1),
        }
        try:
            await self._client.request("PutItem", payload, deadline=Deadline.after(LIMIT_S))
        except Failure as failure:
            if failure.verdict is not Verdict.REFUSED:
                raise failure.error from failure
