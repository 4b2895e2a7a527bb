-- The ledger's history, made set by set. Parameters come as settings of the session: ledger.customers, ledger.accounts,
-- ledger.transfers, ledger.statements. Triggers and foreign keys rest meanwhile: the data is consistent by construction.
-- Account 1 is the clearing account: it opens every other account with its first transfer, and owes what all others have.
SET session_replication_role = replica;
SET synchronous_commit = off;
SET search_path = ledger;

INSERT INTO customers (number, name, email, profile, created_at, changed_at)
SELECT 'C' || lpad(g::text, 9, '0'), 'Customer ' || g, 'customer' || g || '@example.com',
       jsonb_build_object('segment', (ARRAY['private', 'business', 'premium'])[g % 3 + 1], 'paperless', g % 2 = 0),
       now() - interval '2 years', now() - interval '1 year'
FROM generate_series(1, current_setting('ledger.customers')::bigint) g;

INSERT INTO accounts (customer_id, number, kind, overdraft, opened_at)
SELECT (g - 1) % current_setting('ledger.customers')::bigint + 1, 'US' || lpad(g::text, 12, '0'),
       CASE WHEN g = 1 THEN 'clearing' WHEN g % 4 = 0 THEN 'savings' ELSE 'checking' END::account_kind,
       CASE WHEN g = 1 THEN 1e18 ELSE 100000 END, now() - interval '1 year'
FROM generate_series(1, current_setting('ledger.accounts')::bigint) g;

INSERT INTO transfers (idempotency_key, debit_account, credit_account, amount, memo, booked_at)
SELECT md5('transfer ' || g)::uuid,
       CASE WHEN g < a THEN 1 ELSE 2 + (g * 7919) % (a - 1) END,
       CASE WHEN g < a THEN g + 1 ELSE 2 + (g * 7919 + 1 + g % 31) % (a - 1) END,
       CASE WHEN g < a THEN 10000 + g % 1000 ELSE (g % 9000 + 100) * 0.01 END,
       jsonb_build_object('text', CASE WHEN g < a THEN 'opening' ELSE 'invoice ' || g END),
       date_trunc('second', now()) - (t - g + 1) * (interval '300 days' / t)
FROM (SELECT current_setting('ledger.accounts')::bigint AS a, current_setting('ledger.transfers')::bigint AS t) n,
     generate_series(1, t) g;

INSERT INTO entries (transfer_id, leg, booked_at, account_id, amount, balance_after)
SELECT id, leg, booked_at, account, moved, sum(moved) OVER (PARTITION BY account ORDER BY id)
FROM (SELECT id, 1 AS leg, booked_at, debit_account AS account, -amount AS moved FROM transfers
      UNION ALL SELECT id, 2, booked_at, credit_account, amount FROM transfers) legs;

UPDATE accounts SET balance = s.total
FROM (SELECT account_id, sum(amount) AS total FROM entries GROUP BY account_id) s WHERE s.account_id = accounts.id;

INSERT INTO statements (idempotency_key, account_id, issued_at, opening, closing, lines, checksum)
SELECT md5('statement ' || g)::uuid, e.account_id, e.booked_at, e.balance_after - e.amount, e.balance_after,
       jsonb_build_array(jsonb_build_object('transfer', e.transfer_id, 'amount', e.amount,
           'at', to_char(e.booked_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'))), repeat('0', 64)
FROM generate_series(1, current_setting('ledger.statements')::bigint) g
JOIN entries e ON e.transfer_id = g AND e.leg = 2;

UPDATE statements s SET checksum = encode(sha256(convert_to(
    statement_text(s.id, s.account_id, s.opening, s.closing, s.lines), 'UTF8')), 'hex');

RESET search_path;
RESET synchronous_commit;
RESET session_replication_role;
