"""What the shoppers are given before they begin, and its deletion in the end, all of it by calls of the proxy.

Sellers with products in a category of their own, and for each shopper a user with an order. Whatever is made has the
demonstration's name in its own.
"""

import asyncio
from secrets import token_hex
from typing import Any, Final

from adapters.errors import DeadlineExceeded, Unavailable
from proxy.demo.caller import Caller
from proxy.demo.expected import COMPLETED, Answer
from proxy.demo.workload import ADD, CHECKOUT, CREATE_USER, Call, Scene, Shopper, user_arguments

PREFIX: Final = "crossfade-demo"
SELLERS: Final = 2
PRODUCTS_EACH: Final = 10
STOCK: Final = 1_000_000
"""More of each product than can be sold."""
GOODS: Final = ("Kettle", "Teapot", "Tasse", "Crème brûlée torch", "Scale, 100 % steel")
TRIES: Final = 5
PAUSE_S: Final = 1.0
WORTH_ANOTHER_TRY: Final = ("", Unavailable.code, DeadlineExceeded.code)


class Stage:
    """Everything that one demonstration makes, named so that nobody takes it for the shop's own."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self.name = f"{PREFIX}-{token_hex(3)}"
        self.user_ids: list[int] = []
        self._seller_ids: list[int] = []
        self._category_ids: list[int] = []

    async def first_user(self) -> tuple[int, str]:
        """Make a user: its id and username. Raises Unavailable, as the others do."""
        username = f"{self.name}-first"
        self.user_ids.append((await self._must(CREATE_USER, **user_arguments(username)))["id"])
        return self.user_ids[-1], username

    async def scene(self) -> Scene:
        """Make categories, sellers and products."""
        root_id = await self._category(name=f"{self.name} goods")
        category_id = await self._category(name=f"{self.name} kitchen", parent_id=root_id)
        product_ids: list[int] = []
        for number in range(1, SELLERS + 1):
            seller = await self._must(CREATE_USER, **user_arguments(f"{self.name}-seller-{number}"))
            self._seller_ids.append(seller["id"])
            await self._must("user.upgrade_to_seller", id=seller["id"])
            for _ in range(PRODUCTS_EACH):
                product_ids.append(await self._product(seller["id"], category_id, number=len(product_ids)))
        return Scene(self.name, tuple(self._seller_ids), root_id, category_id, tuple(product_ids))

    async def shopper(self, scene: Scene, number: int) -> Shopper:
        """Make a shopper, with an order already."""
        username = f"{self.name}-{number}"
        user_id = (await self._must(CREATE_USER, **user_arguments(username)))["id"]
        self.user_ids.append(user_id)
        await self._must(ADD, user_id=user_id, product_id=scene.product_ids[0], quantity=1)
        order = await self._must(CHECKOUT, user_id=user_id)
        return Shopper(user_id, username, {}, order["id"], COMPLETED)

    async def clear(self) -> list[str]:
        """Delete all of it, users with their carts and orders first; what could not be deleted, and why."""
        deletions = [Call("user.delete", {"id": user_id}) for user_id in [*self.user_ids, *self._seller_ids]]
        deletions += [Call("category.delete", {"id": category_id}) for category_id in reversed(self._category_ids)]
        left: list[str] = []
        for call in deletions:
            answer = await self._tried(call)
            if not answer.status:
                return [*left, f"everything, from {call.operation} {call.arguments['id']} on: {answer.problem}"]
            if not answer.is_ok:
                left.append(f"{call.operation} {call.arguments['id']}: {answer.problem}")
        return left

    async def _category(self, **given: object) -> int:
        category = await self._must("category.create", **given)
        self._category_ids.append(category["id"])
        return self._category_ids[-1]

    async def _product(self, seller_id: int, category_id: int, *, number: int) -> int:
        product = await self._must(
            "product.create_product",
            seller_id=seller_id,
            name=f"{GOODS[number % len(GOODS)]} {number} ({self.name})",
            category_id=category_id,
            price=1.99 + 3 * number,
            inventory_quantity=STOCK,
            description="Made up by a demonstration. " * 8,
        )
        return int(product["id"])

    async def _must(self, operation: str, **given: object) -> dict[str, Any]:
        """The record that a call answers."""
        answer = await self._caller.call(Call(operation, given))
        result = answer.body.get("result")
        if not answer.is_ok or not isinstance(result, dict):
            raise Unavailable(f"the proxy at {self._caller.url} does not serve {operation}: {answer.problem}")
        return result

    async def _tried(self, call: Call) -> Answer:
        """The answer of a call that may be repeated, once that is of no use any more."""
        for _ in range(TRIES - 1):
            answer = await self._caller.call(call)
            if answer.body.get("code", "") not in WORTH_ANOTHER_TRY or answer.is_ok:
                return answer
            await asyncio.sleep(PAUSE_S)
        return await self._caller.call(call)
