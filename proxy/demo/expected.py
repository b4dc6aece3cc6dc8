"""What a shopper must be answered, and what it knows afterwards: its own writes, read back at once. No I/O."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from adapters.errors import Conflict, Reason
from proxy.demo.workload import ADD, CHECKOUT, CREATE_USER, Arguments, Call, Shopper

OK: Final = 200
COMPLETED: Final = "completed"
EXCERPT: Final = 200
DISTURBING: Final = ("cart.", CHECKOUT)

Json = Any
"""What JSON may hold."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with its headers, those absent empty. Status 0 is none at all; `body` then has a `detail` alone."""

    status: int
    body: Mapping[str, Json]
    duration_s: float
    phase: str = ""
    served_by: str = ""
    shadow: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether there is a result."""
        return self.status == OK

    @property
    def problem(self) -> str:
        """What went wrong, in a line."""
        words = [str(self.body.get(name)) for name in ("code", "reason", "outcome", "detail") if self.body.get(name)]
        return f"{self.status or 'no answer'}: {', '.join(words)}"


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether an answer is a refusal that had to come, and what is wrong with one that had not."""

    is_refusal: bool = False
    complaint: str | None = None


def judged(call: Call, answer: Answer, shopper: Shopper) -> Judgement:
    """Hold an answer against what the shopper knows, and let it know what the answer tells."""
    if not answer.is_ok:
        if call.operation == CHECKOUT and not shopper.cart and _is_empty_cart(answer.body):
            shopper.cart = {}
            return Judgement(is_refusal=True)
        _forget(call.operation, shopper)
        return Judgement(complaint=answer.problem)
    if call.operation not in _SEEN:
        return Judgement()
    due, seen = _SEEN[call.operation](shopper, call.arguments, answer.body["result"])
    if due == seen:
        return Judgement()
    _forget(call.operation, shopper)
    return Judgement(complaint=f"answered {seen!s:.{EXCERPT}} and not {due!s:.{EXCERPT}}")


def _is_empty_cart(body: Mapping[str, Json]) -> bool:
    return (body.get("code"), body.get("reason")) == (Conflict.code, Reason.EMPTY_CART)


def _forget(operation: str, shopper: Shopper) -> None:
    """After an answer that is not understood nobody knows what is there, until it is read."""
    if operation.startswith(DISTURBING):
        shopper.cart = None
    if operation.startswith("order."):
        shopper.order_status = None


Due = tuple[object, object]
"""What was to be answered, and what was."""


def _added(shopper: Shopper, given: Arguments, result: Json) -> Due:
    if shopper.cart is None:
        return True, True
    product_id = given["product_id"]
    shopper.cart[product_id] = shopper.cart.get(product_id, 0) + given["quantity"]
    return shopper.cart[product_id], result["quantity"]


def _updated(shopper: Shopper, given: Arguments, result: Json) -> Due:
    if shopper.cart is None:
        return True, True
    is_there = given["product_id"] in shopper.cart
    if is_there:
        shopper.cart[given["product_id"]] = given["quantity"]
    return is_there, result


def _removed(shopper: Shopper, given: Arguments, result: Json) -> Due:
    if shopper.cart is None:
        return True, True
    return shopper.cart.pop(given["product_id"], None) is not None, result


def _cleared(shopper: Shopper, _: Arguments, result: Json) -> Due:
    shopper.cart = {}
    return True, result


def _checked_out(shopper: Shopper, _: Arguments, result: Json) -> Due:
    ordered = {item["product_id"]: item["quantity"] for item in result["items"]}
    due = (ordered if shopper.cart is None else shopper.cart, COMPLETED)
    shopper.cart, shopper.order_id, shopper.order_status = {}, result["id"], COMPLETED
    return due, (ordered, result["status"])


def _cart(shopper: Shopper, _: Arguments, result: Json) -> Due:
    seen = {line["product_id"]: line["quantity"] for line in result}
    if shopper.cart is None:
        shopper.cart = seen
    return shopper.cart, dict(seen)


def _order(shopper: Shopper, _: Arguments, result: Json) -> Due:
    seen = (result and result["id"], result and result["status"])
    return (shopper.order_id, shopper.order_status or seen[1]), seen


def _orders(shopper: Shopper, given: Arguments, result: Json) -> Due:
    newest = result[0] if result else None
    if shopper.order_status is None and newest:
        shopper.order_id, shopper.order_status = newest["id"], newest["status"]
    return _order(shopper, given, newest)


def _status_set(shopper: Shopper, given: Arguments, result: Json) -> Due:
    shopper.order_status = given["status"]
    return True, result


def _oneself(shopper: Shopper, _: Arguments, result: Json) -> Due:
    return (shopper.user_id, shopper.username), (result and result["id"], result and result["username"])


_SEEN: Final[Mapping[str, Callable[[Shopper, Arguments, Json], Due]]] = {
    "user.find_by_id": _oneself,
    "user.find_by_username": _oneself,
    CREATE_USER: lambda _, given, result: (given["username"], result["username"]),
    "product.get_product_with_details": lambda _, given, result: (given["product_id"], result and result["id"]),
    CHECKOUT: _checked_out,
    "order.get_order_by_id": _order,
    "order.get_user_orders": _orders,
    "order.update_order_status": _status_set,
    ADD: _added,
    "cart.update_item_quantity": _updated,
    "cart.get_cart_items": _cart,
    "cart.validate_cart_inventory": lambda _, __, result: (True, result["valid"]),
    "cart.remove_item": _removed,
    "cart.clear_cart": _cleared,
    "category.find_by_id": lambda _, given, result: (given["id"], result and result["id"]),
}
"""The operations of which a shopper knows what they must answer."""
