-- Events of usage, kept by the month of their instant; see docs/adr/0028. The keys that nothing is counted twice by are
-- one table, since a key that holds over all months cannot live in the months.

CREATE TABLE billing_usagekey (
    id bigserial NOT NULL,
    transaction_id varchar(128) COLLATE "C" NOT NULL,
    at timestamptz NOT NULL,
    organization_id bigint NOT NULL,
    series_id bigint NOT NULL
);

CREATE SEQUENCE billing_usageevent_id_seq;
CREATE TABLE billing_usageevent (
    id bigint NOT NULL DEFAULT nextval('billing_usageevent_id_seq'),
    transaction_id varchar(128) COLLATE "C" NOT NULL,
    at timestamptz NOT NULL,
    value numeric(27, 12) NOT NULL,
    key varchar(200) COLLATE "C" NOT NULL,
    properties jsonb NOT NULL,
    received_at timestamptz NOT NULL,
    organization_id bigint NOT NULL,
    series_id bigint NOT NULL
) PARTITION BY RANGE (at);
ALTER SEQUENCE billing_usageevent_id_seq OWNED BY billing_usageevent.id;
