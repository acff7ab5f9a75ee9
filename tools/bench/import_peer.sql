-- The limit: the same rows in the same tables, under the same keys, triggers and policies, written by one statement
-- a table with nothing read from a file and nothing decided.
INSERT INTO customers_customer (organization_id, public_id, version, created_at, updated_at, external_id, metadata,
    name, name_key, number, entity_id, email, address, country, currency, zone, terms_days)
SELECT %(org)s, 'cus_' || lpad(c::text, 26, '0'), 1, %(at)s, %(at)s, '', '{}', 'Customer ' || c, 'customer ' || c,
    'C' || c, e.id, '', '', '', 'EUR', e.zone, 30
FROM generate_series(0, %(customers)s - 1) c, tenants_legalentity e;

CREATE TEMPORARY TABLE plan ON COMMIT DROP AS
SELECT n, e.id AS entity_id, c.id AS customer_id, c.public_id AS customer, date '2020-01-01' + (n %% 2000)::int AS day,
    10000 + n AS minor, nextval('invoicing_document_id_seq') AS doc, nextval('receivables_openitem_id_seq') AS item,
    nextval('ledger_entry_id_seq') AS entry
FROM generate_series(0, %(count)s - 1) n, tenants_legalentity e, customers_customer c
WHERE c.number = 'C' || n %% %(customers)s;

INSERT INTO invoicing_document (id, organization_id, public_id, version, created_at, updated_at, external_id, metadata,
    kind, state, entity_id, customer_id, number, currency, issued_on, due_on, terms_days, net_minor, tax_minor,
    total_minor, memo, source, autopay, seal, pdf_problem, prepays)
SELECT doc, %(org)s, 'doc_' || lpad(doc::text, 26, '0'), 1, %(at)s, %(at)s, n::text, '{}', 'opening', 'issued', entity_id,
    customer_id, 'OLD-' || n, 'EUR', day, day + 30, 0, minor, 0, minor, '', 'imp:' || n, false,
    encode(sha256(convert_to(n::text, 'UTF8')), 'hex'), '', false FROM plan;
INSERT INTO receivables_openitem (id, organization_id, public_id, version, created_at, updated_at, external_id, metadata,
    customer_id, entity_id, kind, side, label, reference, source, currency, total_minor, open_minor, reserved_minor,
    effective_on, due_on)
SELECT item, %(org)s, 'item_' || lpad(item::text, 26, '0'), 1, %(at)s, %(at)s, '', '{}', customer_id, entity_id, 'opening',
    'debit', 'OLD-' || n, 'old' || n, 'doc_' || lpad(doc::text, 26, '0'), 'EUR', minor, minor, 0, day, day + 30 FROM plan;
INSERT INTO receivables_reference (organization_id, item_id, text, key)
SELECT %(org)s, item, prefix || n, prefix || n FROM plan, (VALUES ('po'), ('bn')) p(prefix);
INSERT INTO ledger_entry (id, organization_id, key, kind, entity_id, source, effective_on, posted_on, recorded_at)
SELECT entry, %(org)s, 'open:doc_' || lpad(doc::text, 26, '0'), 'opening', entity_id, 'doc_' || lpad(doc::text, 26, '0'),
    day, date '2026-11-26', %(at)s FROM plan;
INSERT INTO ledger_leg (organization_id, entry_id, account_id, customer_id, open_item_id, minor, currency, base_minor)
SELECT %(org)s, entry, a.id, customer_id, CASE a.purpose WHEN 'receivable' THEN item END, m.minor, 'EUR', m.minor
FROM plan CROSS JOIN LATERAL (VALUES ('receivable', minor), ('opening', -minor)) m(purpose, minor)
JOIN ledger_account a ON a.purpose = m.purpose;
INSERT INTO core_outboxevent (organization_id, public_id, name, schema_version, object_public_id, object_version, payload,
    occurred_at, attempts, next_attempt_at, last_error)
SELECT %(org)s, 'evt_' || lpad(doc::text, 26, '0'), 'invoice.imported', 1, 'doc_' || lpad(doc::text, 26, '0'), 1,
    jsonb_build_object('object_id', 'doc_' || lpad(doc::text, 26, '0'), 'object_version', 1, 'number', 'OLD-' || n,
        'customer', customer, 'currency', 'EUR', 'total_minor', minor, 'issued_on', day, 'due_on', day + 30),
    %(at)s, 0, %(at)s, '' FROM plan;
