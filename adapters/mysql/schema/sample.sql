-- A small shop to look at. Nobody can log in: the hash only has the shape of one. Times lie apart, so that lists have an
-- order.
SET @hash = '$2b$12$SampleShopSampleShopSuNoPasswordIsKnownToHaveThisHash';

INSERT INTO users (id, username, email, password_hash, first_name, last_name, is_seller, super_admin, created_at) VALUES
  (1, 'ana', 'ana@shop.test', @hash, 'Ana', 'Ruiz', FALSE, TRUE, NOW() - INTERVAL 90 DAY),
  (2, 'teahouse', 'hello@teahouse.test', @hash, 'Mei', 'Tanaka', TRUE, FALSE, NOW() - INTERVAL 80 DAY),
  (3, 'bookworm', 'orders@bookworm.test', @hash, 'Jonas', 'Weiß', TRUE, FALSE, NOW() - INTERVAL 70 DAY),
  (4, 'ben', 'ben@shop.test', @hash, 'Ben', 'Okafor', FALSE, FALSE, NOW() - INTERVAL 60 DAY),
  (5, 'chloe', 'chloe@shop.test', @hash, 'Chloé', 'Martin', FALSE, FALSE, NOW() - INTERVAL 50 DAY),
  (6, 'dmitri', 'dmitri@shop.test', @hash, NULL, NULL, FALSE, FALSE, NOW() - INTERVAL 40 DAY);

INSERT INTO categories (id, name, parent_id, created_at) VALUES
  (1, 'Tea', NULL, NOW() - INTERVAL 90 DAY),
  (2, 'Books', NULL, NOW() - INTERVAL 90 DAY),
  (3, 'Kitchen', NULL, NOW() - INTERVAL 90 DAY),
  (4, 'Green tea', 1, NOW() - INTERVAL 89 DAY),
  (5, 'Black tea', 1, NOW() - INTERVAL 89 DAY),
  (6, 'Fiction', 2, NOW() - INTERVAL 89 DAY),
  (7, 'Cookery', 2, NOW() - INTERVAL 89 DAY),
  (8, 'Teapots', 3, NOW() - INTERVAL 89 DAY),
  (9, 'Japanese', 4, NOW() - INTERVAL 88 DAY),
  (10, 'Crime', 6, NOW() - INTERVAL 88 DAY);

INSERT INTO products
  (id, seller_id, category_id, name, price, inventory_quantity, description, image_url, created_at) VALUES
  (1, 2, 9, 'Sencha', 9.50, 120, 'Steamed leaves, grassy and clear', 'https://shop.test/img/1.jpg', NOW() - INTERVAL 79 DAY),
  (2, 2, 9, 'Gyokuro', 24.00, 30, 'Shaded for three weeks', 'https://shop.test/img/2.jpg', NOW() - INTERVAL 78 DAY),
  (3, 2, 9, 'Genmaicha', 7.20, 80, 'With roasted rice', NULL, NOW() - INTERVAL 77 DAY),
  (4, 2, 9, 'Hojicha', 7.80, 64, 'Roasted, hardly any caffeine', NULL, NOW() - INTERVAL 76 DAY),
  (5, 2, 9, 'Matcha', 29.90, 25, 'Stone-ground, for whisking', 'https://shop.test/img/5.jpg', NOW() - INTERVAL 75 DAY),
  (6, 2, 4, 'Longjing', 18.00, 40, 'Pan-fired, from Hangzhou', NULL, NOW() - INTERVAL 74 DAY),
  (7, 2, 4, 'Gunpowder', 5.40, 150, 'Rolled into pearls', NULL, NOW() - INTERVAL 73 DAY),
  (8, 2, 4, 'Jasmine', 8.60, 90, 'Scented with flowers', NULL, NOW() - INTERVAL 72 DAY),
  (9, 2, 5, 'Assam', 6.30, 200, 'Malty and strong', NULL, NOW() - INTERVAL 71 DAY),
  (10, 2, 5, 'Darjeeling first flush', 16.50, 45, 'Picked in March', NULL, NOW() - INTERVAL 70 DAY),
  (11, 2, 5, 'Ceylon', 5.90, 130, NULL, NULL, NOW() - INTERVAL 69 DAY),
  (12, 2, 5, 'Earl Grey', 6.80, 175, 'With oil of bergamot', 'https://shop.test/img/12.jpg', NOW() - INTERVAL 68 DAY),
  (13, 2, 5, 'Lapsang souchong', 9.10, 0, 'Smoked over pine', NULL, NOW() - INTERVAL 67 DAY),
  (14, 2, 5, 'Breakfast blend', 4.99, 300, NULL, NULL, NOW() - INTERVAL 66 DAY),
  (15, 2, 1, 'Rooibos', 5.20, 95, 'No tea at all, strictly speaking', NULL, NOW() - INTERVAL 65 DAY),
  (16, 2, 1, 'Sampler, ten small tins', 19.90, 50, 'For those who cannot choose', NULL, NOW() - INTERVAL 64 DAY),
  (17, 2, 8, 'Kyusu', 48.00, 12, 'Side-handled, 300 ml', 'https://shop.test/img/17.jpg', NOW() - INTERVAL 63 DAY),
  (18, 2, 8, 'Glass teapot', 22.50, 18, 'One litre, with a sieve', NULL, NOW() - INTERVAL 62 DAY),
  (19, 2, 8, 'Brown betty', 27.00, 9, 'Earthenware', NULL, NOW() - INTERVAL 61 DAY),
  (20, 2, 8, 'Cast-iron teapot', 64.00, 6, 'Keeps warm for an hour', NULL, NOW() - INTERVAL 60 DAY),
  (21, 2, 3, 'Bamboo whisk', 14.00, 35, 'A hundred prongs', NULL, NOW() - INTERVAL 59 DAY),
  (22, 2, 3, 'Tea scale', 12.75, 20, 'To a tenth of a gram', NULL, NOW() - INTERVAL 58 DAY),
  (23, 2, 3, 'Kettle', 39.00, 15, 'Stops at 80 degrees', NULL, NOW() - INTERVAL 57 DAY),
  (24, 2, 3, 'Linen tea towel', 8.00, 70, NULL, NULL, NOW() - INTERVAL 56 DAY),
  (25, 3, 10, 'The Locked Warehouse', 11.90, 40, 'Nobody went in, and 400 crates came out', NULL, NOW() - INTERVAL 55 DAY),
  (26, 3, 10, 'Death of a Ledger', 10.50, 22, 'The books did not balance', NULL, NOW() - INTERVAL 54 DAY),
  (27, 3, 10, 'The Second Copy', 12.40, 31, 'Which of the two was the original?', NULL, NOW() - INTERVAL 53 DAY),
  (28, 3, 10, 'Harbour Fog', 9.95, 17, NULL, NULL, NOW() - INTERVAL 52 DAY),
  (29, 3, 6, 'Letters Never Sent', 13.20, 26, 'A novel in drafts', NULL, NOW() - INTERVAL 51 DAY),
  (30, 3, 6, 'The Ferryman''s Daughter', 14.00, 19, NULL, 'https://shop.test/img/30.jpg', NOW() - INTERVAL 50 DAY),
  (31, 3, 6, 'Über den Dächern', 12.00, 8, 'Erzählungen', NULL, NOW() - INTERVAL 49 DAY),
  (32, 3, 6, 'Café de la Gare', 11.10, 14, 'Nouvelles', NULL, NOW() - INTERVAL 48 DAY),
  (33, 3, 6, 'A Winter on the Line', 15.60, 0, 'Sold out, and being reprinted', NULL, NOW() - INTERVAL 47 DAY),
  (34, 3, 7, 'Forty Soups', 18.90, 33, 'One for every rainy day', NULL, NOW() - INTERVAL 46 DAY),
  (35, 3, 7, 'Bread, Slowly', 22.00, 27, 'Flour, water, salt and patience', NULL, NOW() - INTERVAL 45 DAY),
  (36, 3, 7, 'Cooking with Tea', 19.50, 41, 'Smoke, broth, custard', NULL, NOW() - INTERVAL 44 DAY),
  (37, 3, 7, 'Pickles', 9.80, 52, NULL, NULL, NOW() - INTERVAL 43 DAY),
  (38, 3, 7, 'The Small Oven', 16.70, 11, '70 dishes for one or two', NULL, NOW() - INTERVAL 42 DAY),
  (39, 3, 2, 'Notebook, dotted', 6.00, 140, '192 pages', NULL, NOW() - INTERVAL 41 DAY),
  (40, 3, 2, 'Gift card', 25.00, 1000, 'For any book', NULL, NOW() - INTERVAL 40 DAY);

INSERT INTO shopping_carts (user_id, product_id, quantity, created_at) VALUES
  (1, 1, 2, NOW() - INTERVAL 3 HOUR),
  (1, 17, 1, NOW() - INTERVAL 2 HOUR),
  (1, 36, 1, NOW() - INTERVAL 1 HOUR),
  (4, 25, 1, NOW() - INTERVAL 5 HOUR),
  (4, 27, 1, NOW() - INTERVAL 4 HOUR),
  (5, 5, 1, NOW() - INTERVAL 30 MINUTE),
  (5, 21, 1, NOW() - INTERVAL 20 MINUTE),
  (5, 13, 2, NOW() - INTERVAL 10 MINUTE);

INSERT INTO orders (id, user_id, total_amount, status, created_at) VALUES
  (1, 1, 33.60, 'completed', NOW() - INTERVAL 30 DAY),
  (2, 4, 34.80, 'completed', NOW() - INTERVAL 21 DAY),
  (3, 4, 11.90, 'cancelled', NOW() - INTERVAL 20 DAY),
  (4, 5, 77.90, 'completed', NOW() - INTERVAL 12 DAY),
  (5, 5, 22.00, 'pending', NOW() - INTERVAL 2 DAY),
  (6, 1, 27.00, 'pending', NOW() - INTERVAL 1 DAY);

INSERT INTO order_items (order_id, product_id, quantity, price_at_time) VALUES
  (1, 1, 2, 9.50), (1, 8, 1, 8.60), (1, 39, 1, 6.00),
  (2, 25, 1, 11.90), (2, 27, 1, 12.40), (2, 26, 1, 10.50),
  (3, 25, 1, 11.90),
  (4, 17, 1, 48.00), (4, 5, 1, 29.90),
  (5, 35, 1, 22.00),
  (6, 19, 1, 27.00);
