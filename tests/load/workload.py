"""A shop's day in small: reads of every kind, and every tenth call a write that succeeds however often it is made."""

from collections.abc import Callable, Sequence
from typing import Final

import orjson

from tests.load.volley import post

Making = Callable[[int], tuple[str, dict[str, object]]]
"""The operation and its arguments, made from a number that no other call of the round has."""

READS: Final[Sequence[Making]] = (
    lambda n: ("product.get_product_with_details", {"product_id": n}),
    lambda n: ("product.get_products", {"page": 1 + n % 10, "limit": 20}),
    lambda n: ("user.find_by_email", {"email": f"user-{n}@shop.test"}),
    lambda n: ("product.search_products", {"search_term": f"Kettle {n}"}),
    lambda n: ("cart.get_cart_items", {"user_id": n}),
    lambda n: ("category.exists_by_name", {"name": f"Category {n}"}),
    lambda n: ("order.get_user_orders", {"user_id": n}),
    lambda n: ("product.get_product_by_id", {"product_id": n}),
    lambda _: ("category.find_all", {}),
)
WRITES: Final[Sequence[Making]] = (
    lambda n: ("cart.add_item", {"user_id": n, "product_id": n, "quantity": 1}),
    lambda n: ("user.update", {"id": n, "first_name": f"Ana {n % 7}"}),
    lambda n: ("product.update_inventory", {"product_id": n, "quantity": 1000 + n % 7}),
    lambda n: ("cart.clear_cart", {"user_id": n}),
)


def mixed_calls(records: int) -> list[bytes]:
    """A round of calls, as they go over the wire: every read and some write of each of the records, 1 to `records`."""
    calls = []
    for number in range(1, records + 1):
        calls += [read(number) for read in READS]
        calls.append(WRITES[number % len(WRITES)](number))
    return [post(f"/rpc/{operation.replace('.', '/')}", orjson.dumps(given)) for operation, given in calls]
