-- A table for trying the changes of this folder.
CREATE SCHEMA shop;
CREATE TABLE shop.customer (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mail text NOT NULL,
    full_name text,
    since date NOT NULL DEFAULT '2020-01-01'
);
CREATE INDEX customer_full_name ON shop.customer (full_name);
INSERT INTO shop.customer (mail, full_name)
SELECT 'customer' || n || '@example.com', 'Ann' || n || ' van Lee' FROM generate_series(1, 200) AS n;
