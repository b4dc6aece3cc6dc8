"""All 53 operations, spelled out: a change of the wire has to change this table too."""

import pytest

from adapters.operations import catalogue

READS = {
    "user.find_by_id": "id",
    "user.find_by_username": "username",
    "user.find_by_email": "email",
    "user.exists_by_username": "username",
    "user.exists_by_email": "email",
    "user.find_all_super_admins": "",
    "product.get_product_by_id": "product_id",
    "product.get_product_with_details": "product_id",
    "product.get_products": "filters? page? limit?",
    "product.get_products_by_seller": "seller_id page? limit?",
    "product.get_products_by_category": "category_id page? limit?",
    "product.search_products": "search_term page? limit?",
    "product.has_inventory": "product_id required_quantity",
    "order.get_order_by_id": "order_id",
    "order.get_user_orders": "user_id limit? offset?",
    "order.get_user_order_count": "user_id",
    "order.get_orders_by_status": "status limit?",
    "category.find_all": "",
    "category.find_by_parent_id": "parent_id",
    "category.find_root_categories": "",
    "category.find_child_categories": "parent_id",
    "category.find_by_id": "id",
    "category.exists_by_name": "name exclude_id?",
    "category.exists_by_id": "id",
    "category.validate_parent_id": "parent_id",
    "category.would_create_cycle": "category_id new_parent_id",
    "category.get_category_path": "category_id",
    "cart.get_cart_items": "user_id",
    "cart.get_cart_item_count": "user_id",
    "cart.get_cart_item_by_user_and_product": "user_id product_id",
    "cart.validate_cart_inventory": "user_id",
}
WRITES = {
    "user.create": "username email password_hash first_name? last_name?",
    "user.update": "id first_name? last_name? email?",
    "user.upgrade_to_seller": "id",
    "user.promote_to_super_admin": "id",
    "user.demote_from_super_admin": "id",
    "user.delete": "id",
    "product.create_product": "seller_id name category_id price inventory_quantity description? image_url?",
    "product.update_product": (
        "product_id seller_id name? description? category_id? price? inventory_quantity? image_url?"
    ),
    "product.delete_product": "product_id seller_id",
    "product.update_inventory": "product_id quantity",
    "product.reduce_inventory": "product_id quantity",
    "order.create_order": "user_id total_amount",
    "order.create_order_item": "order_id product_id quantity price_at_time",
    "order.update_order_status": "order_id status",
    "order.checkout": "user_id expected_total?",
    "category.create": "name parent_id?",
    "category.update": "id name? parent_id?",
    "category.delete": "id",
    "cart.add_item": "user_id product_id quantity",
    "cart.update_item_quantity": "user_id product_id quantity",
    "cart.remove_item": "user_id product_id",
    "cart.clear_cart": "user_id",
}
WIRE = {**dict.fromkeys(READS, "read"), **dict.fromkeys(WRITES, "write")}


def test_catalogue_has_31_reads_and_22_writes() -> None:
    """The catalogue holds each of the 53 operations, marked as the read or write that it is."""
    assert (31, 22) == (len(READS), len(WRITES))
    assert WIRE == {name: operation.kind.value for name, operation in catalogue().items()}


@pytest.mark.parametrize(("name", "arguments"), [*READS.items(), *WRITES.items()])
def test_catalogue_names_the_arguments(name: str, arguments: str) -> None:
    """Each operation takes just these arguments, in this order, a `?` for those that may be left out."""
    described = catalogue()[name].arguments
    assert arguments.split() == [part.name if part.is_required else f"{part.name}?" for part in described]


def test_catalogue_can_be_had_for_some_entities() -> None:
    """A proxy that serves one entity knows nothing of the others."""
    assert {"user"} == {operation.entity for operation in catalogue(["user"]).values()}
