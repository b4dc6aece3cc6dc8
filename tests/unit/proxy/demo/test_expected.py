"""What shoppers expect."""

import pytest

from proxy.demo.expected import Answer, Json, judged
from proxy.demo.workload import Call, Shopper


def shopper(cart: dict[int, int] | None) -> Shopper:
    """Somebody with a cart and a completed order."""
    return Shopper(7, "demo-1", cart, 9, "completed")


def ok(result: Json) -> Answer:
    """An answer with a result."""
    return Answer(200, {"result": result}, 0.001)


def order(**items: int) -> Json:
    """A completed order of products p5, p6 and so on."""
    lines = [{"product_id": int(name[1:]), "quantity": quantity} for name, quantity in items.items()]
    return {"id": 10, "status": "completed", "items": lines}


EMPTY = Answer(409, {"code": "conflict", "reason": "empty_cart", "detail": "the cart is empty"}, 0.001)
DOWN = Answer(503, {"code": "unavailable", "outcome": "not_applied", "detail": "busy"}, 0.001)
LINE = {"user_id": 7, "product_id": 5, "quantity": 2}


@pytest.mark.parametrize(
    ("operation", "given", "cart", "result", "cart_after"),
    [
        ("cart.add_item", LINE, {5: 1}, {"quantity": 3}, {5: 3}),
        ("cart.add_item", LINE, {}, {"quantity": 2}, {5: 2}),
        ("cart.update_item_quantity", LINE, {5: 1}, True, {5: 2}),
        ("cart.update_item_quantity", LINE, {}, False, {}),
        ("cart.remove_item", LINE, {5: 1, 6: 1}, True, {6: 1}),
        ("cart.remove_item", LINE, {6: 1}, False, {6: 1}),
        ("cart.clear_cart", {"user_id": 7}, {5: 1}, True, {}),
        ("cart.get_cart_items", {"user_id": 7}, {5: 1}, [{"product_id": 5, "quantity": 1}], {5: 1}),
        ("cart.get_cart_items", {"user_id": 7}, None, [{"product_id": 5, "quantity": 1}], {5: 1}),
        ("cart.validate_cart_inventory", {"user_id": 7}, {5: 1}, {"valid": True, "issues": []}, {5: 1}),
        ("order.checkout", {"user_id": 7}, {5: 1, 6: 2}, order(p6=2, p5=1), {}),
        ("category.find_all", {}, {5: 1}, [], {5: 1}),
    ],
)
def test_judged_follows_the_cart(
    operation: str, given: dict[str, object], cart: dict[int, int] | None, result: Json, cart_after: dict[int, int]
) -> None:
    """A right answer is no complaint, and the shopper knows its cart afterwards."""
    who = shopper(cart)
    assert judged(Call(operation, given), ok(result), who).complaint is None
    assert cart_after == who.cart


@pytest.mark.parametrize(
    ("operation", "given", "result"),
    [
        ("cart.add_item", LINE, {"quantity": 2}),
        ("cart.update_item_quantity", LINE, False),
        ("cart.remove_item", LINE, False),
        ("cart.get_cart_items", {"user_id": 7}, []),
        ("cart.get_cart_items", {"user_id": 7}, [{"product_id": 5, "quantity": 2}]),
        ("cart.validate_cart_inventory", {"user_id": 7}, {"valid": False, "issues": ["gone"]}),
        ("order.checkout", {"user_id": 7}, order(p5=2)),
        ("order.get_order_by_id", {"order_id": 9}, None),
        ("order.get_order_by_id", {"order_id": 9}, {"id": 9, "status": "pending"}),
        ("order.get_user_orders", {"user_id": 7}, []),
        ("order.get_user_orders", {"user_id": 7}, [{"id": 8, "status": "completed"}]),
        ("order.update_order_status", {"order_id": 9, "status": "pending"}, False),
        ("user.find_by_id", {"id": 7}, None),
        ("user.find_by_username", {"username": "DEMO-1"}, {"id": 8, "username": "demo-1"}),
        ("product.get_product_with_details", {"product_id": 5}, None),
        ("category.find_by_id", {"id": 4}, None),
    ],
)
def test_judged_complains_of_an_old_or_wrong_answer(operation: str, given: dict[str, object], result: Json) -> None:
    """An answer that does not show what was written before is a complaint."""
    assert judged(Call(operation, given), ok(result), shopper({5: 1})).complaint is not None


def test_judged_lets_the_refusal_of_an_empty_cart_pass() -> None:
    """An empty cart must be refused, one that is not known may be, and one with something in it must not."""
    checkout = Call("order.checkout", {"user_id": 7})
    assert judged(checkout, EMPTY, shopper({})).is_refusal
    assert judged(checkout, EMPTY, shopper(None)).is_refusal
    assert judged(checkout, EMPTY, shopper({5: 1})).complaint == "409: conflict, empty_cart, the cart is empty"
    assert judged(checkout, ok(order(p5=1)), shopper({})).complaint is not None


def test_judged_knows_nothing_of_the_cart_after_a_failure() -> None:
    """A write that failed is complained of once; what may have come of it is read, not guessed."""
    who = shopper({5: 1})
    failed = judged(Call("cart.add_item", LINE), DOWN, who)
    assert failed.complaint == "503: unavailable, not_applied, busy"
    assert judged(Call("cart.add_item", LINE), ok({"quantity": 5}), who).complaint is None
    assert judged(Call("cart.get_cart_items", {}), ok([{"product_id": 5, "quantity": 5}]), who).complaint is None
    assert {5: 5} == who.cart


def test_judged_follows_the_newest_order() -> None:
    """After a checkout the new order is the newest, with the status it was given last."""
    who = shopper({5: 1})
    judged(Call("order.checkout", {}), ok(order(p5=1)), who)
    judged(Call("order.update_order_status", {"order_id": 10, "status": "cancelled"}), ok(result=True), who)
    seen = {"id": 10, "status": "cancelled"}
    assert judged(Call("order.get_user_orders", {}), ok([seen]), who).complaint is None
    assert judged(Call("order.get_order_by_id", {"order_id": 10}), ok(seen), who).complaint is None


def test_judged_adopts_the_newest_order_after_a_failure() -> None:
    """Whether a failed checkout made an order is seen in the list."""
    who = shopper({5: 1})
    judged(Call("order.checkout", {}), DOWN, who)
    assert judged(Call("order.get_user_orders", {}), ok([{"id": 12, "status": "completed"}]), who).complaint is None
    assert 12 == who.order_id
