-- The limit: the same rows in the same tables, under the same keys, triggers and policies, written by one
-- statement a table with nothing decided in between.
CREATE TEMPORARY TABLE plan ON COMMIT DROP AS
SELECT s.id AS subscription_id, i.id AS part, s.public_id AS sub, s.customer_id, c.entity_id, c.public_id AS customer, c.terms_days,
       row_number() OVER (ORDER BY s.id) AS n, p.currency, p.unit_price, p.tax_percent, l.name AS plan,
       s.next_bill_on AS starts, (s.next_bill_on + interval '1 month')::date AS ends,
       round(p.unit_price * 100)::bigint AS net, round(p.unit_price * p.tax_percent)::bigint AS tax,
       nextval('invoicing_document_id_seq') AS doc, nextval('receivables_openitem_id_seq') AS item,
       nextval('ledger_entry_id_seq') AS entry
FROM billing_subscription s
JOIN billing_subscriptionitem i ON i.organization_id = s.organization_id AND i.subscription_id = s.id
JOIN billing_price p ON p.organization_id = s.organization_id AND p.id = s.price_id
JOIN billing_plan l ON l.organization_id = p.organization_id AND l.id = p.plan_id
JOIN customers_customer c ON c.organization_id = s.organization_id AND c.id = s.customer_id
WHERE s.state = 'active' AND s.held_at IS NULL AND s.next_bill_on <= %(day)s;

INSERT INTO invoicing_document (id, organization_id, public_id, version, created_at, updated_at, external_id, metadata,
    kind, state, entity_id, customer_id, number, currency, terms_days, net_minor, tax_minor, total_minor, memo, source,
    autopay, seal, pdf_problem, prepays)
SELECT doc, %(org)s, 'doc_' || lpad(doc::text, 26, '0'), 1, %(at)s, %(at)s, '', '{}', 'invoice', 'draft', entity_id,
    customer_id, '', currency, terms_days, net, tax, net + tax, '', sub || ':' || starts, false, '', '', false FROM plan;
INSERT INTO invoicing_line (organization_id, document_id, position, description, detail, quantity, unit_price,
    amount_minor, tax_category, tax_percent, service_start, service_end, source, why)
SELECT %(org)s, doc, 1, plan, '', 1, unit_price, net, 'S', tax_percent, starts, ends, sub || ':' || starts,
    jsonb_build_array(jsonb_build_object('step', 'period', 'start', starts, 'end', ends),
        jsonb_build_object('step', 'flat', 'quantity', '1', 'unit_price', unit_price::text),
        jsonb_build_object('step', 'rounded', 'rule', 'half_up')) FROM plan;
INSERT INTO invoicing_taxline (organization_id, document_id, category, percent, base_minor, tax_minor)
SELECT %(org)s, doc, 'S', tax_percent, net, tax FROM plan;
INSERT INTO billing_billedperiod (organization_id, subscription_id, item_id, run_id, document_id, period_start, period_end,
    amount_minor, discount_minor, quantity, terms)
SELECT %(org)s, subscription_id, part, %(run)s, doc, starts, ends, net, 0, 1,
    jsonb_build_object('said', jsonb_build_object('unit_price', unit_price::text), 'model', 'flat', 'price', 1,
        'plan', plan, 'currency', currency, 'unit', 'month', 'every', 1, 'timing', 'advance',
        'tax_percent', tax_percent::text)
FROM plan;
UPDATE billing_subscription s SET next_bill_on = ends, next_bill_at = s.next_bill_at + interval '1 month',
    version = version + 1, updated_at = %(at)s FROM plan WHERE s.id = plan.subscription_id;
INSERT INTO invoicing_party (organization_id, document_id, seller, buyer)
SELECT %(org)s, p.doc, jsonb_build_object('name', e.name, 'address', e.address, 'country', e.country, 'tax_number', e.tax_number),
    jsonb_build_object('name', c.name, 'number', c.number, 'address', c.address, 'country', c.country)
FROM plan p JOIN tenants_legalentity e ON e.id = p.entity_id JOIN customers_customer c ON c.id = p.customer_id;
INSERT INTO receivables_openitem (id, organization_id, public_id, version, created_at, updated_at, external_id, metadata,
    customer_id, entity_id, kind, side, label, reference, source, currency, total_minor, open_minor, reserved_minor, effective_on, due_on)
SELECT item, %(org)s, 'item_' || lpad(item::text, 26, '0'), 1, %(at)s, %(at)s, '', '{}', customer_id, entity_id, 'invoice',
    'debit', 'INV-' || n, 'inv' || n, 'doc_' || lpad(doc::text, 26, '0'), currency, net + tax, net + tax, 0, starts, starts + terms_days
FROM plan;
INSERT INTO ledger_entry (id, organization_id, key, kind, entity_id, source, effective_on, posted_on, recorded_at)
SELECT entry, %(org)s, 'open:doc_' || lpad(doc::text, 26, '0'), 'invoice', entity_id, 'doc_' || lpad(doc::text, 26, '0'),
    starts, starts, %(at)s FROM plan;
INSERT INTO ledger_leg (organization_id, entry_id, account_id, customer_id, open_item_id, minor, currency, base_minor)
SELECT %(org)s, entry, a.id, customer_id, CASE a.purpose WHEN 'receivable' THEN item END, m.minor, currency, m.minor
FROM plan CROSS JOIN LATERAL (VALUES ('receivable', net + tax), ('revenue', -net), ('tax', -tax)) m(purpose, minor)
JOIN ledger_account a ON a.purpose = m.purpose;
UPDATE invoicing_document d SET state = 'issued', number = 'INV-' || n, issued_on = starts, due_on = starts + plan.terms_days,
    seal = encode(sha256(convert_to(d.public_id, 'UTF8')), 'hex'), version = version + 1, updated_at = %(at)s
FROM plan WHERE d.id = plan.doc;
INSERT INTO core_statechange (organization_id, object_public_id, from_state, to_state, reason, actor, at)
SELECT %(org)s, 'doc_' || lpad(doc::text, 26, '0'), 'draft', 'issued', '', 'sql', %(at)s FROM plan;
INSERT INTO core_outboxevent (organization_id, public_id, name, schema_version, object_public_id, object_version, payload,
    occurred_at, attempts, next_attempt_at, last_error)
SELECT %(org)s, 'evt_' || lpad(doc::text, 26, '0'), 'invoice.issued', 1, 'doc_' || lpad(doc::text, 26, '0'), 2,
    jsonb_build_object('object_id', 'doc_' || lpad(doc::text, 26, '0'), 'object_version', 2, 'number', 'INV-' || n,
        'customer', customer, 'currency', currency, 'total_minor', net + tax, 'issued_on', starts,
        'due_on', starts + terms_days, 'autopay', false), %(at)s, 0, %(at)s, '' FROM plan;
