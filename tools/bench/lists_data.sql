-- Seven hundred days of a large business: invoices as if they had been issued and mostly paid, in the books.
-- One in ten is open, and half of those overdue; a payment takes two of the others of a customer.
SELECT set_config('app.organization_id', '%(org)s', true), set_config('synchronous_commit', 'off', true);

-- Keys between these rows hold by how they are made; checking millions of them one by one would take an hour.
CREATE TEMPORARY TABLE held ON COMMIT DROP AS
SELECT conrelid::regclass AS of, conname AS name, pg_get_constraintdef(oid) AS rule FROM pg_constraint
WHERE contype = 'f' AND conrelid::regclass::text IN ('customers_customer', 'invoicing_document', 'invoicing_line', 'invoicing_taxline',
    'receivables_openitem', 'receivables_allocation', 'ledger_entry', 'ledger_leg', 'core_statechange', 'core_outboxevent');
DO $$
DECLARE
    each record;
BEGIN
    FOR each IN SELECT * FROM held LOOP
        EXECUTE format('ALTER TABLE %%s DROP CONSTRAINT %%I', each.of, each.name);
    END LOOP;
    FOR each IN SELECT DISTINCT of FROM held LOOP
        EXECUTE format('ALTER TABLE %%s DISABLE TRIGGER USER', each.of);
    END LOOP;
    ALTER TABLE invoicing_document ENABLE TRIGGER invoicing_document_tally_insert;
    ALTER TABLE receivables_openitem ENABLE TRIGGER receivables_openitem_tally_insert;
    ALTER TABLE ledger_leg ENABLE TRIGGER ledger_leg_tally_insert;
END
$$;

INSERT INTO customers_customer (organization_id, public_id, version, created_at, updated_at, external_id, metadata,
    name, name_key, number, entity_id, email, address, country, currency, zone, terms_days)
SELECT %(org)s, 'cus_' || lpad(c::text, 26, '0'), 1, now(), now(), '', '{}', 'Customer ' || c, 'customer ' || c, 'C' || c,
    e.id, '', '', '', 'EUR', e.zone, 30
FROM generate_series(1, %(customers)s) c, tenants_legalentity e WHERE e.organization_id = %(org)s;

-- `place` is an invoice's place among its customer's.
CREATE TEMPORARY TABLE plan ON COMMIT DROP AS
SELECT n, c.id AS customer_id, c.public_id AS customer, c.entity_id, 10000 + n %% 90000 AS minor, place, made,
    CASE WHEN open AND late THEN made + 30 WHEN open THEN date '2027-01-01' ELSE made + 30 END AS due, open,
    nextval('invoicing_document_id_seq') AS doc, nextval('receivables_openitem_id_seq') AS item
FROM (SELECT n, n %% %(customers)s AS owner, n / %(customers)s AS place,
             (n / %(customers)s + n) %% 10 = 0 AS open, (n / %(customers)s + n) %% 20 = 0 AS late,
             date '2026-11-26' - ((%(count)s - n) * 700 / %(count)s)::int AS made
      FROM generate_series(1, %(count)s::bigint) n) i
JOIN customers_customer c ON c.organization_id = %(org)s AND c.number = 'C' || (1 + owner)
ORDER BY n;
-- Paid when the later one is due, but never later than today.
CREATE TEMPORARY TABLE paid ON COMMIT DROP AS
SELECT p.*, nextval('receivables_openitem_id_seq') AS item
FROM (SELECT customer_id, min(entity_id) AS entity_id, place / 2 AS pair, sum(minor) AS minor,
             greatest(max(made), least(max(due), date '2026-11-26')) AS day
      FROM plan WHERE NOT open GROUP BY customer_id, place / 2) p
ORDER BY day;

INSERT INTO invoicing_document (id, organization_id, public_id, version, created_at, updated_at, external_id, metadata, kind,
    state, entity_id, customer_id, number, currency, issued_on, due_on, terms_days, net_minor, tax_minor, total_minor,
    memo, source, autopay, seal, pdf_problem, prepays)
SELECT doc, %(org)s, 'doc_' || lpad(n::text, 26, '0'), 1, now(), now(), '', '{}', 'invoice', 'issued', entity_id, customer_id,
    'INV-2026-' || lpad(n::text, 7, '0'), 'EUR', made, due, 30, minor, 0, minor, '', 'bench:' || n, false, 'x', '', false FROM plan;
INSERT INTO invoicing_line (organization_id, document_id, position, description, detail, quantity, unit_price, amount_minor,
    tax_category, tax_percent, service_start, service_end, source, why)
SELECT %(org)s, doc, 1, 'Track Pro', '', 1, minor / 100.0, minor, 'Z', 0, NULL, NULL, '', '[]' FROM plan;
INSERT INTO invoicing_taxline (organization_id, document_id, category, percent, base_minor, tax_minor)
SELECT %(org)s, doc, 'Z', 0, minor, 0 FROM plan;
INSERT INTO core_statechange (organization_id, object_public_id, from_state, to_state, reason, actor, at)
SELECT %(org)s, 'doc_' || lpad(n::text, 26, '0'), 'draft', 'issued', '', 'sql', now() FROM plan;
INSERT INTO core_outboxevent (organization_id, public_id, name, schema_version, object_public_id, object_version, payload,
    occurred_at, relayed_at, attempts, next_attempt_at, last_error)
SELECT %(org)s, 'evt_' || lpad(n::text, 26, '0'), 'invoice.issued', 1, 'doc_' || lpad(n::text, 26, '0'), 2,
    jsonb_build_object('number', 'INV-2026-' || lpad(n::text, 7, '0'), 'customer', customer, 'currency', 'EUR',
        'total_minor', minor), now(), now(), 0, now(), '' FROM plan;

INSERT INTO receivables_openitem (id, organization_id, public_id, version, created_at, updated_at, external_id, metadata,
    customer_id, entity_id, kind, side, label, reference, source, currency, total_minor, open_minor, reserved_minor,
    effective_on, due_on, settled_on)
SELECT i.item, %(org)s, 'item_' || lpad(i.item::text, 26, '0'), 1, now(), now(), '', '{}', i.customer_id, i.entity_id, 'invoice',
    'debit', 'INV-2026-' || lpad(n::text, 7, '0'), 'inv2026' || lpad(n::text, 7, '0'), 'doc_' || lpad(n::text, 26, '0'), 'EUR',
    i.minor, CASE WHEN open THEN i.minor ELSE 0 END, 0, made, due, CASE WHEN NOT open THEN p.day END
FROM plan i LEFT JOIN paid p ON p.customer_id = i.customer_id AND p.pair = i.place / 2;
INSERT INTO receivables_openitem (id, organization_id, public_id, version, created_at, updated_at, external_id, metadata,
    customer_id, entity_id, kind, side, label, reference, source, currency, total_minor, open_minor, reserved_minor,
    effective_on, due_on, settled_on)
SELECT item, %(org)s, 'item_' || lpad(item::text, 26, '0'), 1, now(), now(), '', '{}', customer_id, entity_id, 'payment',
    'credit', 'Payment', '', 'pay_' || lpad(item::text, 26, '0'), 'EUR', minor, 0, 0, day, day, day FROM paid;
INSERT INTO receivables_allocation (organization_id, key, debit_item_id, credit_item_id, minor, effective_on, posted_on,
    recorded_at, reason)
SELECT %(org)s, 'bench:' || i.item, i.item, p.item, i.minor, p.day, p.day, now(), ''
FROM plan i JOIN paid p ON p.customer_id = i.customer_id AND p.pair = i.place / 2 WHERE NOT i.open;

CREATE TEMPORARY TABLE booked ON COMMIT DROP AS
SELECT f.*, nextval('ledger_entry_id_seq') AS entry
FROM (SELECT 'open:doc_' || lpad(n::text, 26, '0') AS key, 'invoice' AS kind, 'doc_' || lpad(n::text, 26, '0') AS source, entity_id,
             customer_id, made AS day, minor, 'receivable' AS debit, item AS debit_item, 'revenue' AS credit, NULL AS credit_item FROM plan
      UNION ALL
      SELECT 'open:pay_' || lpad(item::text, 26, '0'), 'payment', 'pay_' || lpad(item::text, 26, '0'), entity_id,
             customer_id, day, minor, 'bank', NULL, 'unapplied', item FROM paid
      UNION ALL
      SELECT 'allocate:bench:' || i.item, 'allocation', 'doc_' || lpad(n::text, 26, '0'), i.entity_id,
             i.customer_id, p.day, i.minor, 'unapplied', p.item, 'receivable', i.item
      FROM plan i JOIN paid p ON p.customer_id = i.customer_id AND p.pair = i.place / 2 WHERE NOT i.open) f
ORDER BY day;
INSERT INTO ledger_entry (id, organization_id, key, kind, entity_id, source, effective_on, posted_on, recorded_at)
SELECT entry, %(org)s, key, kind, entity_id, source, day, day, now() FROM booked;
INSERT INTO ledger_leg (organization_id, entry_id, account_id, customer_id, open_item_id, minor, currency, base_minor)
SELECT %(org)s, entry, a.id, customer_id, m.item, m.minor, 'EUR', m.minor
FROM booked CROSS JOIN LATERAL (VALUES (debit, debit_item, minor), (credit, credit_item, -minor)) m(purpose, item, minor)
JOIN ledger_account a ON a.organization_id = %(org)s AND a.purpose = m.purpose;

DO $$
DECLARE
    each record;
BEGIN
    FOR each IN SELECT DISTINCT of FROM held LOOP
        EXECUTE format('ALTER TABLE %%s ENABLE TRIGGER USER', each.of);
    END LOOP;
    FOR each IN SELECT * FROM held LOOP
        EXECUTE format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s NOT VALID', each.of, each.name, each.rule);
    END LOOP;
END
$$;
