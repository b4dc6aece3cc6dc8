"""The seam: one Protocol per entity with the full contract of its operations, and the stores behind them."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

Method = TypeVar("Method", bound=Callable[..., Awaitable[object]])


def read(method: Method) -> Method:
    """Mark an operation as a read: it changes nothing and may be asked of either database."""
    method.__operation_kind__ = "read"  # type: ignore[attr-defined]  # a function takes attributes
    return method


def write(method: Method) -> Method:
    """Mark an operation as a write: atomic in each database, answered with what is stored."""
    method.__operation_kind__ = "write"  # type: ignore[attr-defined]  # a function takes attributes
    return method
