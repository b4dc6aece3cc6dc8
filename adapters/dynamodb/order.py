"""The reads of orders from DynamoDB: pointers by id and status lead to the order's own item under the email."""

from collections import deque
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing
from typing import Final

from adapters.changes import Aggregate, user_aggregate
from adapters.collation import key_form
from adapters.dynamodb.caches import Caches
from adapters.dynamodb.children import Settled, Whereabouts, of_user, owns
from adapters.dynamodb.chunks import COUNT_NAMES
from adapters.dynamodb.details import DetailReader, Found
from adapters.dynamodb.items import order_from
from adapters.dynamodb.keys import Key, Range
from adapters.dynamodb.reading import ItemReader, side_by_side
from adapters.dynamodb.shapes import ORDER, ORDER_PARTITION, ORDER_SORT, OWNER
from adapters.dynamodb.typed_json import Attributes, read_count, read_text
from adapters.records import Order, OrderDetails, OrderItem, OrderItemDetails

# Looked up by the collation's equality, as MySQL does.
STATUSES: Final = {key_form(status): status for status in ("pending", "completed", "cancelled")}
TRIES: Final = 3
"""How often a pointer is followed that leads to nothing, though its user is there."""
PAGE_MAX: Final = 1000
SHARD_PAGE_MIN: Final = 4

OrderAndItems = tuple[Order, Sequence[OrderItem]]


class OrderReads:
    """The reads of OrderRepository, for one call."""

    def __init__(self, items: ItemReader, caches: Caches) -> None:
        self._items = items
        self._details = DetailReader(items, caches)

    async def get_order_by_id(self, *, order_id: int) -> OrderDetails | None:
        """See OrderRepository."""
        pointer = await self._items.one(self._items.keys.order_by_id(order_id))
        orders = [] if pointer is None else await self._behind([pointer])
        detailed, _ = await self._detailed(orders)
        return detailed[0] if detailed else None

    async def get_user_orders(self, *, user_id: int, limit: int = 20, offset: int = 0) -> list[OrderDetails]:
        """See OrderRepository. What stands before the offset is read too."""

        async def read(place: Whereabouts) -> Settled[list[OrderDetails]]:
            orders = (await self._newest_of(place, offset + limit))[offset:]
            detailed, found = await self._detailed(orders, beside=[place.meta])
            return detailed, found.beside.get(place.meta)

        return await of_user(self._items, user_id, read) or []

    async def get_user_order_count(self, *, user_id: int) -> int:
        """See OrderRepository."""
        aggregate = user_aggregate(user_id)
        fence = await self._items.one(self._items.keys.fence(aggregate)) or {}
        name = COUNT_NAMES[aggregate.kind]
        return read_count(fence, name) if name in fence else 0

    async def get_orders_by_status(self, *, status: str, limit: int = 50) -> list[OrderDetails]:
        """See OrderRepository."""
        wanted = STATUSES.get(key_form(status))
        if wanted is None:
            return []
        orders: list[OrderAndItems] = []
        waiting: list[Attributes] = []
        async with aclosing(self._newest_pointers(wanted, limit)) as pointers:
            async for pointer in pointers:
                waiting.append(pointer)
                if len(orders) + len(waiting) == limit:
                    orders += await self._behind(waiting, status=wanted)
                    waiting = []
                if len(orders) == limit:
                    break
        orders += await self._behind(waiting, status=wanted)
        detailed, _ = await self._detailed(orders)
        return detailed

    async def _newest_of(self, place: Whereabouts, count: int) -> list[OrderAndItems]:
        """So many orders of a user, newest first."""
        orders = self._items.keys.orders(place.email)
        found: list[Attributes] = []
        start = None
        while len(found) < count:
            items_max = min(count - len(found), PAGE_MAX)
            page, start = await self._items.page(orders, start, is_descending=True, items_max=items_max)
            found += [item for item in page if place.is_own(item)]
            if start is None:
                break
        return [order_from(item) for item in found]

    async def _newest_pointers(self, status: str, count: int) -> AsyncGenerator[Attributes, None]:
        """The pointers to all orders of a status, newest first; read ahead for about `count` of them."""
        shards = [_Shard(self._items, each) for each in self._items.keys.orders_by_status(status)]
        items_max = max(2 * count // len(shards), SHARD_PAGE_MIN)
        await side_by_side(shard.fill(items_max) for shard in shards)
        while filled := [shard for shard in shards if shard.waiting]:
            newest = max(filled, key=_Shard.newest)
            yield newest.waiting.popleft()
            await newest.fill(items_max)

    async def _behind(self, pointers: Sequence[Attributes], *, status: str | None = None) -> list[OrderAndItems]:
        """The orders that pointers lead to, in their order.

        Left out are those whose user is gone, and with a status those that have another.
        """
        table = self._items.keys.order_by_id(0).table
        in_order = [self._items.key_of(table, pointer) for pointer in pointers]
        waiting = dict(zip(in_order, pointers, strict=True))
        orders: dict[Key, OrderAndItems] = {}
        for _ in range(TRIES):
            reached, lost = await self._follow(waiting)
            orders.update(reached)
            if not lost:
                break
            # The user has moved, and the pointers with it.
            waiting = dict(await self._items.many(lost))
        found = [orders[key] for key in in_order if key in orders]
        return [each for each in found if status in (None, each[0].status)]

    async def _follow(self, pointers: dict[Key, Attributes]) -> tuple[dict[Key, OrderAndItems], list[Key]]:
        """The orders that are where their pointers say, and the pointers that led nowhere."""
        owners = {key: user for key, pointer in pointers.items() if (user := _owner(pointer)) is not None}
        uids = {key: self._items.keys.user_by_id(owner.id) for key, owner in owners.items()}
        found = await self._items.many([*uids.values(), *(_target(pointers[key]) for key in owners)])
        reached: dict[Key, OrderAndItems] = {}
        lost: list[Key] = []
        for key, owner in owners.items():
            order = found.get(_target(pointers[key]))
            if uids[key] not in found:
                continue
            if order is not None and owns(owner, order):
                reached[key] = order_from(order)
            else:
                lost.append(key)
        return reached, lost

    async def _detailed(
        self, orders: Sequence[OrderAndItems], *, beside: Collection[Key] = ()
    ) -> tuple[list[OrderDetails], Found]:
        found = await self._details.find((item.product_id for _, items in orders for item in items), beside=beside)
        return [_details(order, items, found) for order, items in orders], found


class _Shard:
    """The pointers of one range, newest first, as far as they were read."""

    def __init__(self, items: ItemReader, place: Range) -> None:
        self.waiting: deque[Attributes] = deque()
        self._items = items
        self._place = place
        self._start: Attributes | None = None
        self._is_read = False

    async def fill(self, items_max: int) -> None:
        """Read on if nothing is waiting and there is more."""
        while not self.waiting and not self._is_read:
            page, self._start = await self._items.page(
                self._place, self._start, is_descending=True, items_max=items_max
            )
            self.waiting.extend(page)
            self._is_read = self._start is None

    def newest(self) -> str:
        """What orders the first pointer waiting among those of all ranges: time and id."""
        return self._items.key_of(self._place.table, self.waiting[0]).sort


def _owner(pointer: Attributes) -> Aggregate | None:
    """The user whose order it is; None where the pointer names none."""
    try:
        return Aggregate.parse(read_text(pointer, OWNER))
    except (KeyError, ValueError):
        return None


def _target(pointer: Attributes) -> Key:
    return Key(ORDER.table, read_text(pointer, ORDER_PARTITION), read_text(pointer, ORDER_SORT))


def _details(order: Order, items: Sequence[OrderItem], found: Found) -> OrderDetails:
    """An order with its items; like MySQL's join, without those whose product has no category or seller."""
    return OrderDetails(
        order.id,
        order.user_id,
        order.total_amount,
        order.status,
        order.created_at,
        order.updated_at,
        items=[
            OrderItemDetails(
                item.id,
                item.order_id,
                item.product_id,
                item.quantity,
                item.price_at_time,
                found.details[item.product_id],
            )
            for item in items
            if item.product_id in found.details
        ],
    )
