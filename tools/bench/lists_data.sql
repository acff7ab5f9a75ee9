-- Invoices of a large business, as if they had been issued and mostly paid.
SELECT set_config('app.organization_id', '%(org)s', true);
ALTER TABLE customers_customer DISABLE TRIGGER USER;
ALTER TABLE invoicing_document DISABLE TRIGGER USER;
ALTER TABLE receivables_openitem DISABLE TRIGGER USER;

INSERT INTO customers_customer (organization_id, public_id, version, created_at, updated_at, external_id, metadata,
    name, name_key, number, entity_id, email, address, country, currency, zone, terms_days)
SELECT %(org)s, 'cus_' || lpad(c::text, 26, '0'), 1, now(), now(), '', '{}', 'Customer ' || c, 'customer ' || c, 'C' || c,
    e.id, '', '', '', 'EUR', e.zone, 30
FROM generate_series(1, %(customers)s) c, tenants_legalentity e WHERE e.organization_id = %(org)s;

INSERT INTO invoicing_document (organization_id, public_id, version, created_at, updated_at, external_id, metadata, kind,
    state, entity_id, customer_id, number, currency, issued_on, due_on, terms_days, net_minor, tax_minor, total_minor,
    memo, source, autopay, seal, pdf_problem)
SELECT %(org)s, 'doc_' || lpad(n::text, 26, '0'), 1, now(), now(), '', '{}', 'invoice', 'issued', c.entity_id, c.id,
    'INV-2026-' || lpad(n::text, 7, '0'), 'EUR', date '2026-11-26' - (n %% 700)::int, date '2026-12-26' - (n %% 700)::int,
    30, 10000 + n %% 90000, 0, 10000 + n %% 90000, '', 'bench:' || n, false, 'x', ''
FROM generate_series(1, %(count)s) n
JOIN customers_customer c ON c.organization_id = %(org)s AND c.number = 'C' || (1 + n %% %(customers)s);

INSERT INTO receivables_openitem (organization_id, public_id, version, created_at, updated_at, external_id, metadata,
    customer_id, entity_id, kind, side, label, reference, source, currency, total_minor, open_minor, reserved_minor,
    effective_on, due_on, settled_on)
SELECT %(org)s, 'item_' || lpad(d.id::text, 26, '0'), 1, now(), now(), '', '{}', d.customer_id, d.entity_id, 'invoice', 'debit',
    d.number, lower(replace(d.number, '-', '')), d.public_id, 'EUR', d.total_minor,
    CASE WHEN d.id %% 10 = 0 THEN d.total_minor ELSE 0 END, 0, d.issued_on,
    CASE WHEN d.id %% 20 = 0 THEN date '2027-01-01' ELSE d.due_on END, CASE WHEN d.id %% 10 <> 0 THEN d.due_on END
FROM invoicing_document d WHERE d.organization_id = %(org)s;

ALTER TABLE customers_customer ENABLE TRIGGER USER;
ALTER TABLE invoicing_document ENABLE TRIGGER USER;
ALTER TABLE receivables_openitem ENABLE TRIGGER USER;
