"""A plain in-memory shop: the oracle of the random sequences, and the first to pass the conformance suite.

One module per entity over `rows.Rows`, each written from the contract on the Protocols, with no thought for speed,
locks or storage. Nothing in it awaits anything, so every operation is atomic.
"""

from collections.abc import Mapping

from adapters.operations import Operation
from adapters.ports.cart import CartRepository
from adapters.ports.category import CategoryRepository
from adapters.ports.order import OrderRepository
from adapters.ports.product import ProductRepository
from adapters.ports.user import UserRepository
from tests.reference.cart import ReferenceCarts
from tests.reference.category import ReferenceCategories
from tests.reference.order import ReferenceOrders
from tests.reference.product import ReferenceProducts
from tests.reference.rows import Clock, Rows
from tests.reference.user import ReferenceUsers


class Reference:
    """The shop. `is_dual` adds the rules that hold where the second database is written too."""

    def __init__(self, *, clock: Clock, is_dual: bool = False) -> None:
        self.rows = Rows(clock=clock, is_dual=is_dual)
        products = ReferenceProducts(self.rows)
        self.user: UserRepository = ReferenceUsers(self.rows)
        self.product: ProductRepository = products
        self.order: OrderRepository = ReferenceOrders(self.rows, products)
        self.category: CategoryRepository = ReferenceCategories(self.rows)
        self.cart: CartRepository = ReferenceCarts(self.rows, products)

    async def perform(self, operation: Operation, arguments: Mapping[str, object]) -> object:
        """The operation's answer, as a repository would give it. Raises the wire's errors."""
        answer: object = await getattr(getattr(self, operation.entity), operation.name)(**arguments)
        return answer
