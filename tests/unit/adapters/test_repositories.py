"""The adapters' repositories: that they are what the ports describe, method by method."""

import inspect

import pytest

from adapters.dynamodb.store import READERS as DYNAMODB_READERS
from adapters.mysql.cart_writes import MySQLCarts
from adapters.mysql.category_writes import MySQLCategories
from adapters.mysql.order_writes import MySQLOrders
from adapters.mysql.product_writes import MySQLProducts
from adapters.mysql.store import READERS as MYSQL_READERS
from adapters.mysql.transaction import Transaction
from adapters.mysql.unit import WRITERS
from adapters.mysql.user_writes import MySQLUsers
from adapters.operations import PORTS, Operation, catalogue
from adapters.ports.cart import CartRepository
from adapters.ports.category import CategoryRepository
from adapters.ports.order import OrderRepository
from adapters.ports.product import ProductRepository
from adapters.ports.user import UserRepository

OPERATIONS = catalogue()


def repositories(
    work: Transaction,
) -> tuple[UserRepository, ProductRepository, OrderRepository, CategoryRepository, CartRepository]:
    """MySQL's repositories as the ports' types: where one lacks a method, or has it otherwise, mypy says so here."""
    return MySQLUsers(work), MySQLProducts(work), MySQLOrders(work), MySQLCategories(work), MySQLCarts(work)


def taken(method: object) -> list[tuple[str, object, object]]:
    """The arguments of a method: names, kinds and defaults."""
    assert callable(method)
    parameters = inspect.signature(method).parameters.values()
    return [(p.name, p.kind, p.default) for p in parameters if p.name != "self"]


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_mysql_takes_what_the_port_declares(operation: Operation) -> None:
    """Each operation has its method, with the port's arguments and defaults, where writes or reads look for it."""
    readers_or_writers = WRITERS if operation.is_write else MYSQL_READERS
    port = getattr(PORTS[operation.entity], operation.name)
    assert taken(port) == taken(getattr(readers_or_writers[operation.entity], operation.name))


@pytest.mark.parametrize(
    "operation", [o for o in OPERATIONS.values() if not o.is_write and o.entity in DYNAMODB_READERS]
)
def test_dynamodb_takes_what_the_port_declares(operation: Operation) -> None:
    """Of an entity that can be read from DynamoDB each read has its method, with the port's arguments and defaults."""
    port = getattr(PORTS[operation.entity], operation.name)
    assert taken(port) == taken(getattr(DYNAMODB_READERS[operation.entity], operation.name))
