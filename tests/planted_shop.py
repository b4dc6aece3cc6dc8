"""A small shop of awkward rows, planted by SQL as an older program may have left it.

Ids are given: 12 users, 8 categories in three levels, 25 products, carts, orders with and without items.
"""

from adapters.mysql.connection import Connection

LONG_NAME = "n" * 200
ADMINS = (1, 2)
SELLER = 1
BUYER = 3
"""The user with a cart of five lines and four orders."""
BARE = 12
"""The user with neither names nor flags nor times of change, nor anything else."""
CHILD_CATEGORY = 4
PRODUCT = 7
ORDERED_PRODUCT = 1
ORDER = 1

PLANT = """
INSERT INTO users (id, username, email, password_hash, first_name, last_name, is_seller, super_admin) VALUES
 (1, 'Ána', 'Ana@Shop.test', '$2b$12$one', 'Ána', 'Ruíz', TRUE, TRUE), (2, 'straße', 'ß@shop.test', 'h', '', '', 2, 3),
 (3, 'ben', 'ben@shop.test', 'h', 'Ben', NULL, FALSE, FALSE), (4, '東京', '東京@shop.test', 'h', NULL, 'x', TRUE, NULL),
 (5, 'e\u0301', 'comb\u00e9@shop.test', 'h', '😀', '😀', NULL, FALSE), (6, 'f', 'f@shop.test', 'h', 'f', 'f', 0, 0),
 (7, 'g', 'g@shop.test', 'h', 'g', 'g', 0, 0), (8, 'h', 'h@shop.test', 'h', 'h', 'h', 0, 0),
 (9, 'i', 'i@shop.test', 'h', 'i', 'i', 0, 0), (10, 'j', 'j@shop.test', 'h', 'j', 'j', 0, 0),
 (11, 'k', 'k@shop.test', 'h', 'k', 'k', 0, 0), (12, 'bare', 'bare@shop.test', 'h', NULL, NULL, NULL, NULL);
UPDATE users SET created_at = NULL, updated_at = NULL WHERE id = 12;
INSERT INTO categories (id, name, parent_id, created_at) VALUES
 (1, 'Getränke', NULL, '2026-01-31 09:15:00'), (2, 'Tea', 1, NULL), (3, 'Coffee', 1, NOW()), (4, 'Grün', 2, NOW()),
 (5, 'Bücher', NULL, NOW()), (6, 'Tea', 5, NOW()), (7, 'empty/slash', NULL, NOW()), (8, 'Ω', 4, NOW());
INSERT INTO products (id, seller_id, category_id, name, description, price, inventory_quantity, image_url)
 WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 25)
 SELECT i, IF(i % 2, 1, 4), 1 + i % 6, CONCAT('Product ', i), IF(i % 3, 'A thing', NULL), i + 0.01, i % 4 * 10,
 IF(i % 5, NULL, 'https://shop.test/p.png') FROM n;
UPDATE products SET name = REPEAT('n', 200), description = REPEAT('d', 65535), price = 99999999.99 WHERE id = 2;
UPDATE products SET description = '', created_at = NULL, updated_at = NULL, inventory_quantity = -3 WHERE id = 3;
INSERT INTO shopping_carts (user_id, product_id, quantity) VALUES
 (3, 1, 1), (3, 2, 2), (3, 3, 3), (3, 4, 4), (3, 5, 5), (4, 1, 2147483647), (5, 7, 1), (6, 7, 2);
UPDATE shopping_carts SET created_at = NULL, updated_at = NULL WHERE user_id = 4;
INSERT INTO orders (id, user_id, total_amount, status, created_at) VALUES
 (1, 3, 10.50, 'completed', '2026-01-31 09:15:00'), (2, 3, 0, NULL, '2026-01-31 09:15:00'),
 (3, 3, 99999999.99, 'cancelled', '2026-02-01 00:00:00'), (4, 3, 1.10, 'pending', NOW()),
 (5, 4, 5.00, 'pending', NOW()), (6, 8, 6.00, 'pending', NOW()), (7, 9, 7.00, 'pending', NOW());
UPDATE orders SET updated_at = NULL WHERE id = 5;
INSERT INTO order_items (order_id, product_id, quantity, price_at_time) VALUES
 (1, 1, 2, 1.01), (1, 2, 1, 8.48), (1, 1, 1, 0), (3, 1, 1, 99999999.99), (4, 7, 1, 1.10), (5, 7, 1, 5.00);
"""
EMPTY = """SET foreign_key_checks = 0; DELETE FROM order_items; DELETE FROM orders; DELETE FROM shopping_carts;
DELETE FROM products; DELETE FROM categories; DELETE FROM users; SET foreign_key_checks = 1"""


async def plant_shop(session: Connection) -> None:
    """Plant all rows, as one program would, beside any proxy."""
    await session.batch(PLANT.strip().removesuffix(";").replace("%", "%%"))


async def empty_shop(session: Connection) -> None:
    """Delete all rows, beside any proxy."""
    await session.batch(EMPTY)
