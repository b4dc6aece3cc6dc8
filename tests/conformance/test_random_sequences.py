"""Random sequences of calls, each made to a shop of real databases and to the reference, which must answer alike."""

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from adapters.operations import Operation
from adapters.values import INT_MAX
from tests.conformance.drivers import ReferenceShop
from tests.conformance.shop import OPERATIONS
from tests.conformance.shops import OpenShop, is_full_proof
from tests.conformance.twins import NOBODY, Pick, Side, differences

T = TypeVar("T")
Step = tuple[str, dict[str, object]]

NAMES = ["ana", "ANA", "áña", "ben", "Straße", "STRASSE", "a_b", "axb", "100%", "ROOT", "😀", "c", "d", "", "x" * 501]
PLACES = [0, 0, 1, 1, 2, 2, 3, 3, 4, 5, 6, NOBODY]
SHARES = {
    "cart.add_item": 10,
    "order.checkout": 6,
    "product.create_product": 4,
    "product.update_product": 4,
    "category.update": 4,
    "user.update": 4,
    "user.delete": 1,
    "product.delete_product": 1,
    "category.delete": 1,
    "cart.clear_cart": 1,
}
WRITE_SHARE = 2
"""How often an operation is called for each call of a read, and how often a write that SHARES does not name."""


def texts(*more: str) -> st.SearchStrategy[str]:
    """Few texts, so that they meet, and some that are refused."""
    return st.sampled_from([*NAMES, *more])


def picks(entity: str) -> st.SearchStrategy[Pick]:
    """A record made before, or nobody."""
    return st.builds(Pick, st.just(entity), st.sampled_from(PLACES))


def money() -> st.SearchStrategy[Decimal]:
    """Few amounts, the smallest and the largest among them."""
    amounts = ("0.01", "1.10", "12.50", "12.5000001", "12.50", "99999999.99", "50000000.00", "0.00", "7.005")
    return st.sampled_from([Decimal(amount) for amount in amounts])


def quantities() -> st.SearchStrategy[int]:
    """Small ones, and one that a sum carries over the edge."""
    return st.sampled_from([1, 1, 2, 2, 3, 3, 20, 50, 0, INT_MAX])


def or_null(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """The same, or null."""
    return st.none() | strategy


BY_ARGUMENT: dict[str, st.SearchStrategy[Any]] = {
    "user_id": picks("user"),
    "seller_id": picks("user"),
    "product_id": picks("product"),
    "category_id": picks("category"),
    "parent_id": or_null(picks("category")),
    "new_parent_id": or_null(picks("category")),
    "exclude_id": or_null(picks("category")),
    "order_id": picks("order"),
    "username": texts(),
    "email": texts(),
    "password_hash": texts(),
    "first_name": or_null(texts()),
    "last_name": or_null(texts()),
    "name": texts(),
    "description": or_null(texts()),
    "image_url": or_null(texts()),
    "search_term": texts("a", "ss"),
    "price": money(),
    "total_amount": money(),
    "price_at_time": money(),
    "expected_total": money(),
    "quantity": quantities(),
    "inventory_quantity": quantities(),
    "required_quantity": quantities(),
    "status": st.sampled_from(["pending", "completed", "cancelled", "PENDING", "shipped"]),
    "page": st.integers(1, 3),
    "limit": st.sampled_from([20, 1, 2]),
    "offset": st.integers(0, 2),
    "filters": st.fixed_dictionaries(
        {},
        optional={
            "category_id": or_null(picks("category")),
            "seller_id": or_null(picks("user")),
            "search": texts("a"),
            "min_price": money(),
            "max_price": money(),
            "in_stock_only": st.booleans(),
        },
    ),
}
FIRST_STEPS: list[Step] = [
    ("user.create", {"username": "first", "email": "first", "password_hash": "hash"}),
    ("user.create", {"username": "second", "email": "second", "password_hash": "hash"}),
    ("user.promote_to_super_admin", {"id": Pick("user", 0)}),
    ("category.create", {"name": "first"}),
    ("category.create", {"name": "second", "parent_id": Pick("category", 0)}),
    *[
        (
            "product.create_product",
            {
                "seller_id": Pick("user", place),
                "category_id": Pick("category", place),
                "name": name,
                "price": Decimal("12.50"),
                "inventory_quantity": 9,
            },
        )
        for place, name in enumerate(("felt hat", "Straße"))
    ],
]
"""What there is at the start, so that most sequences come far."""


def arguments_of(operation: Operation) -> st.SearchStrategy[dict[str, object]]:
    """Likely arguments, with optional arguments or without."""
    own = {**BY_ARGUMENT, "id": picks(operation.entity)}
    if operation.full_name in {"product.update_product", "product.delete_product"}:
        own["seller_id"] = picks("seller") | picks("user")
    required = {part.name: own[part.name] for part in operation.arguments if part.is_required}
    optional = {part.name: own[part.name] for part in operation.arguments if not part.is_required}
    return st.fixed_dictionaries(required, optional=optional)


def steps() -> st.SearchStrategy[Step]:
    """Any operation, writes more often than reads."""
    arguments = {name: arguments_of(operation) for name, operation in OPERATIONS.items()}
    shares = {name: WRITE_SHARE if operation.is_write else 1 for name, operation in OPERATIONS.items()} | SHARES
    names = st.sampled_from([name for name, share in shares.items() for _ in range(share)])
    return names.flatmap(lambda name: st.tuples(st.just(name), arguments[name]))


def utc_now() -> datetime:
    """The time that databases stamp rows with."""
    return datetime.now(UTC).replace(microsecond=0)


class Twins(RuleBasedStateMachine):
    """Makes every call twice, and holds the answers against each other. The calls are made in a loop elsewhere."""

    def __init__(self, open_shop: OpenShop, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._loop = loop
        self._lease = open_shop()
        shop = self._run(self._lease.__aenter__())
        self._found = Side(shop)
        self._expected = Side(ReferenceShop(is_dual=shop.is_dual, clock=utc_now))
        self._run(self._play_first_steps())

    @rule(step=steps())
    def play(self, step: Step) -> None:
        """One call."""
        self._run(self._play(step))

    def teardown(self) -> None:
        """In the end both shops hold the same, and the databases of one agree."""
        try:
            self._run(self._compare_all())
        finally:
            self._run(self._lease.__aexit__(None, None, None))

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def _play_first_steps(self) -> None:
        for step in FIRST_STEPS:
            await self._play(step)

    async def _play(self, step: Step) -> None:
        name, arguments = step
        expected = await self._expected.answer(name, arguments)
        found = await self._found.answer(name, arguments)
        assert [] == differences(expected, found), f"{name} {arguments}"

    async def _compare_all(self) -> None:
        await self._play(("category.find_all", {}))
        await self._play(("user.find_all_super_admins", {}))
        await self._play(("product.get_products", {"limit": 1000}))
        for place in range(len(self._expected.made["user"])):
            user = Pick("user", place)
            await self._play(("user.find_by_id", {"id": user}))
            await self._play(("cart.get_cart_items", {"user_id": user}))
            await self._play(("order.get_user_orders", {"user_id": user, "limit": 1000}))
        await self._found.shop.settle_and_compare()


async def test_random_sequences_are_answered_alike(open_database: OpenShop) -> None:
    """Whatever is called in whatever order, a shop of real databases answers as the plain one in memory does."""
    loop = asyncio.get_running_loop()

    class TwinsHere(Twins):
        def __init__(self) -> None:
            super().__init__(open_database, loop)

    examples, length = (100, 100) if is_full_proof() else (10, 30)
    size = settings(
        max_examples=examples,
        stateful_step_count=length,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    await asyncio.to_thread(run_state_machine_as_test, TwinsHere, settings=size)
