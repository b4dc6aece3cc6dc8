"""Changes as a transaction of the authority leaves them, made of images, without a database."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from adapters.changes import (
    Aggregate,
    CartImage,
    CategoryImage,
    Change,
    Image,
    OrderImage,
    ProductImage,
    UserImage,
    user_aggregate,
)
from tests.images import cart_image, category_image, order_image, product_image, user_image

ANA = user_aggregate(1)
BEN = user_aggregate(2)


def user_of(aggregate: Aggregate, email: str, *, username: str | None = None, is_admin: bool = False) -> UserImage:
    """A user whose username is the email, unless another is given."""
    return user_image(user_id=aggregate.id, email=email, username=username or email, is_admin=is_admin)


def order_of(aggregate: Aggregate, email: str, order_id: int, *, status: str = "pending", lines: int = 2) -> OrderImage:
    """An order of a user."""
    image = order_image(order_id=order_id, status=status, lines=lines)
    return replace(image, order=replace(image.order, user_id=aggregate.id), email=email)


def cart_of(aggregate: Aggregate, email: str, product_id: int, *, quantity: int = 2) -> CartImage:
    """A line of a user's cart."""
    image = cart_image(product_id=product_id, quantity=quantity)
    return replace(image, item=replace(image.item, user_id=aggregate.id), email=email)


def product_of(product_id: int, *, description: str = "Green") -> ProductImage:
    """A product."""
    image = product_image(description=description)
    return replace(image, product=replace(image.product, id=product_id))


def category_of(category_id: int, *path: str) -> CategoryImage:
    """A category by the names from the root down."""
    image = category_image(path=path)
    return replace(image, category=replace(image.category, id=category_id))


def change_of(
    versions: Mapping[Aggregate, int],
    *,
    before: Iterable[Image] = (),
    after: Iterable[Image] = (),
    counts: Mapping[Aggregate, int] | None = None,
) -> Change:
    """A change of these rows under these versions."""
    return Change(
        versions=dict(versions),
        counts=dict(counts or {}),
        before={image.ref: image for image in before},
        after={image.ref: image for image in after},
    )
