SET LOCAL search_path = quittance;

CREATE TABLE master_keys (
    id text COLLATE "C" NOT NULL,
    proof bytea NOT NULL,
    since bigint NOT NULL,
    retired_at bigint,
    version bigint NOT NULL,
    PRIMARY KEY (id)
) WITH (fillfactor = 85);

CREATE TABLE tenants (
    id bytea NOT NULL,
    name text COLLATE "C" NOT NULL,
    mode text COLLATE "C" NOT NULL,
    fingerprint_secret bytea NOT NULL,
    gateway_key_secret bytea NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX tenants_by_name ON tenants (name);

CREATE TABLE api_keys (
    id bytea NOT NULL,
    tenant bytea NOT NULL,
    digest bytea NOT NULL,
    name text COLLATE "C" NOT NULL,
    scopes text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    revoked_at bigint,
    ends_at bigint,
    last_used_at bigint,
    version bigint NOT NULL,
    PRIMARY KEY (id)
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX api_keys_by_digest ON api_keys (digest);
CREATE INDEX api_keys_by_tenant ON api_keys (tenant, id);

CREATE TABLE customers (
    id bytea NOT NULL,
    tenant bytea NOT NULL,
    external_id text COLLATE "C",
    name text COLLATE "C",
    email text COLLATE "C",
    currency text COLLATE "C",
    timezone text COLLATE "C",
    gateway_ids bytea NOT NULL,
    metadata bytea NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX customers_by_external_id ON customers (tenant, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX customers_by_tenant ON customers (tenant, id);

CREATE TABLE idempotency (
    tenant bytea NOT NULL,
    key_digest bytea NOT NULL,
    command bytea NOT NULL,
    PRIMARY KEY (tenant, key_digest)
);

CREATE TABLE commands (
    id bytea NOT NULL,
    tenant bytea NOT NULL,
    idempotency_key text COLLATE "C" NOT NULL,
    operation text COLLATE "C" NOT NULL,
    fingerprint bytea NOT NULL,
    fingerprint_version bigint NOT NULL,
    state text COLLATE "C" NOT NULL,
    subject text COLLATE "C",
    credential bytea,
    api_version text COLLATE "C" NOT NULL,
    answer_status bigint,
    answer_body bytea,
    received_at bigint NOT NULL,
    completed_at bigint,
    version bigint NOT NULL,
    PRIMARY KEY (id)
) WITH (fillfactor = 85);

CREATE TABLE intents (
    book bytea NOT NULL,
    intent text COLLATE "C" NOT NULL,
    holder text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (book, intent)
) WITH (fillfactor = 85);

CREATE TABLE books (
    id bytea NOT NULL,
    tenant bytea NOT NULL,
    records bigint NOT NULL,
    head bytea NOT NULL,
    balances bytea NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (id)
) WITH (fillfactor = 85);
CREATE INDEX books_by_tenant ON books (tenant, id);

CREATE TABLE journal (
    book bytea NOT NULL,
    seq bigint NOT NULL,
    kind bigint NOT NULL,
    at bigint NOT NULL,
    body bytea NOT NULL,
    prev_hash bytea NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (book, seq)
);

CREATE TABLE payments (
    book bytea NOT NULL,
    id bytea NOT NULL,
    tenant bytea NOT NULL,
    command bytea NOT NULL,
    effect bytea NOT NULL,
    amount bigint NOT NULL,
    currency text COLLATE "C" NOT NULL,
    gateway text COLLATE "C" NOT NULL,
    payment_method text COLLATE "C" NOT NULL,
    capture_method text COLLATE "C" NOT NULL,
    return_url text COLLATE "C",
    reference text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL,
    captured_amount bigint NOT NULL,
    refunded_amount bigint NOT NULL,
    refunding_amount bigint NOT NULL,
    disputed_amount bigint NOT NULL,
    returned_amount bigint NOT NULL,
    parked_by text COLLATE "C",
    gateway_object text COLLATE "C",
    object_kind text COLLATE "C" NOT NULL,
    decline_code text COLLATE "C",
    decline_is_retryable bigint,
    next_action text COLLATE "C",
    description text COLLATE "C",
    metadata bytea NOT NULL,
    created_at bigint NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (book, id)
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX payments_by_tenant ON payments (tenant, id);
CREATE INDEX payments_by_reference ON payments (tenant, reference, book, id);

CREATE TABLE refunds (
    book bytea NOT NULL,
    id bytea NOT NULL,
    tenant bytea NOT NULL,
    payment bytea NOT NULL,
    command bytea NOT NULL,
    effect bytea NOT NULL,
    amount bigint NOT NULL,
    currency text COLLATE "C" NOT NULL,
    gateway text COLLATE "C" NOT NULL,
    reference text COLLATE "C",
    reason text COLLATE "C",
    status text COLLATE "C" NOT NULL,
    parked_by text COLLATE "C",
    gateway_object text COLLATE "C",
    failure_code text COLLATE "C",
    created_at bigint NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (book, id)
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX refunds_by_tenant ON refunds (tenant, id);
CREATE INDEX refunds_by_payment ON refunds (book, payment, id);
CREATE INDEX refunds_by_reference ON refunds (tenant, reference, book, id) WHERE reference IS NOT NULL;

CREATE TABLE disputes (
    book bytea NOT NULL,
    id bytea NOT NULL,
    tenant bytea NOT NULL,
    payment bytea NOT NULL,
    gateway text COLLATE "C" NOT NULL,
    object text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL,
    amount bigint NOT NULL,
    currency text COLLATE "C" NOT NULL,
    reason text COLLATE "C" NOT NULL,
    evidence_due_by bigint,
    answerable_until bigint,
    submissions bigint NOT NULL,
    withdrawn_amount bigint NOT NULL,
    is_written_off bigint NOT NULL,
    created_at bigint NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (book, id)
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX disputes_by_tenant ON disputes (tenant, id);
CREATE UNIQUE INDEX disputes_by_object ON disputes (gateway, object);
CREATE INDEX disputes_by_payment ON disputes (book, payment, id);
CREATE INDEX disputes_by_deadline ON disputes (answerable_until, book, id) WHERE answerable_until IS NOT NULL;

CREATE TABLE evidence (
    book bytea NOT NULL,
    effect bytea NOT NULL,
    tenant bytea NOT NULL,
    dispute bytea NOT NULL,
    stage text COLLATE "C" NOT NULL,
    command bytea NOT NULL,
    texts bytea NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (book, effect)
);

CREATE TABLE effects (
    book bytea NOT NULL,
    id bytea NOT NULL,
    tenant bytea NOT NULL,
    payment bytea NOT NULL,
    gateway text COLLATE "C" NOT NULL,
    lane text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    parked_by text COLLATE "C",
    body bytea NOT NULL,
    due_at bigint,
    lease_owner bigint NOT NULL,
    lease_epoch bigint NOT NULL,
    created_at bigint NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (book, id)
) WITH (fillfactor = 85);
CREATE INDEX effects_due ON effects (gateway, lane, due_at, book, id) WHERE due_at IS NOT NULL;
CREATE UNIQUE INDEX effects_by_tenant ON effects (tenant, id);
CREATE INDEX effects_parked ON effects (parked_by, book, id) WHERE parked_by IS NOT NULL;

CREATE TABLE tickets (
    book bytea NOT NULL,
    effect bytea NOT NULL,
    step text COLLATE "C" NOT NULL,
    generation bigint NOT NULL,
    send_no bigint NOT NULL,
    gateway_key text COLLATE "C" NOT NULL,
    reference text COLLATE "C",
    request_digest bytea NOT NULL,
    request bytea NOT NULL,
    lease_epoch bigint NOT NULL,
    issued_at bigint NOT NULL,
    deadline bigint NOT NULL,
    PRIMARY KEY (book, effect, step, generation, send_no)
);
CREATE UNIQUE INDEX tickets_by_reference ON tickets (reference) WHERE reference IS NOT NULL;

CREATE TABLE closed_holds (
    book bytea NOT NULL,
    hold bytea NOT NULL,
    closing text COLLATE "C" NOT NULL,
    seq bigint NOT NULL,
    PRIMARY KEY (book, hold)
);

CREATE TABLE gateway_objects (
    gateway text COLLATE "C" NOT NULL,
    object text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    book bytea,
    effect bytea,
    payment bytea,
    state text COLLATE "C" NOT NULL,
    waiting_on text COLLATE "C",
    status text COLLATE "C",
    status_since bigint,
    read_sequence bigint NOT NULL,
    is_stale bigint NOT NULL,
    tries bigint NOT NULL,
    troubled_since bigint,
    first_seen_at bigint NOT NULL,
    last_read_at bigint,
    due_at bigint,
    lease_owner bigint NOT NULL,
    lease_epoch bigint NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (gateway, object)
) WITH (fillfactor = 85);
CREATE INDEX gateway_objects_due ON gateway_objects (gateway, due_at, object) WHERE due_at IS NOT NULL;

CREATE TABLE orphans (
    book bytea NOT NULL,
    gateway text COLLATE "C" NOT NULL,
    reference text COLLATE "C" NOT NULL,
    found bytea NOT NULL,
    is_more bigint NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (book, gateway, reference)
) WITH (fillfactor = 85);

CREATE TABLE movements (
    gateway text COLLATE "C" NOT NULL,
    movement text COLLATE "C" NOT NULL,
    book bytea NOT NULL,
    seq bigint NOT NULL,
    PRIMARY KEY (gateway, movement)
);

CREATE TABLE inbox (
    gateway text COLLATE "C" NOT NULL,
    event text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    object text COLLATE "C",
    book bytea,
    disposition text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    endpoint text COLLATE "C",
    secret text COLLATE "C",
    verified_at bigint,
    received_at bigint NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (gateway, event)
) WITH (fillfactor = 85);
CREATE INDEX inbox_by_object ON inbox (object, gateway, event) WHERE object IS NOT NULL;

CREATE TABLE sweeps (
    gateway text COLLATE "C" NOT NULL,
    sweep text COLLATE "C" NOT NULL,
    cursor bigint,
    created_from bigint,
    newest bigint,
    resume_after text COLLATE "C",
    is_full bigint NOT NULL,
    started_at bigint,
    completed_at bigint,
    version bigint NOT NULL,
    PRIMARY KEY (gateway, sweep)
) WITH (fillfactor = 85);

CREATE TABLE discrepancies (
    id bytea NOT NULL,
    tenant bytea,
    gateway text COLLATE "C" NOT NULL,
    object text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    payment bytea,
    detail text COLLATE "C" NOT NULL,
    opened_at bigint NOT NULL,
    last_seen_at bigint NOT NULL,
    closed_at bigint,
    open_since bigint,
    version bigint NOT NULL,
    PRIMARY KEY (id)
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX discrepancies_by_object ON discrepancies (gateway, object, kind);
CREATE INDEX discrepancies_by_payment ON discrepancies (payment, id) WHERE payment IS NOT NULL;
CREATE INDEX discrepancies_open ON discrepancies (open_since, id) WHERE open_since IS NOT NULL;

CREATE TABLE switches (
    name text COLLATE "C" NOT NULL,
    is_paused bigint NOT NULL,
    reason text COLLATE "C",
    by text COLLATE "C" NOT NULL,
    changed_at bigint NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (name)
) WITH (fillfactor = 85);

CREATE TABLE counters (
    tenant bytea NOT NULL,
    name text COLLATE "C" NOT NULL,
    tally bytea NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (tenant, name)
) WITH (fillfactor = 85);

CREATE TABLE clocks (
    name text COLLATE "C" NOT NULL,
    wall bigint NOT NULL,
    boot text COLLATE "C" NOT NULL,
    steady_ms bigint NOT NULL,
    era bigint NOT NULL,
    era_began_at bigint NOT NULL,
    dated_since bigint NOT NULL,
    ahead_ms bigint NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (name)
) WITH (fillfactor = 85);

CREATE TABLE events (
    tenant bytea NOT NULL,
    id bytea NOT NULL,
    kind text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    book bytea NOT NULL,
    seq bigint NOT NULL,
    at bigint NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (tenant, id)
) WITH (fillfactor = 85);
CREATE INDEX events_by_subject ON events (tenant, subject, id);

CREATE TABLE webhook_endpoints (
    tenant bytea NOT NULL,
    endpoints bytea NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (tenant)
) WITH (fillfactor = 85);

CREATE TABLE deliveries (
    endpoint bytea NOT NULL,
    event bytea NOT NULL,
    tenant bytea NOT NULL,
    state text COLLATE "C" NOT NULL,
    tries bigint NOT NULL,
    history bytea NOT NULL,
    due_at bigint,
    lease_owner bigint NOT NULL,
    lease_epoch bigint NOT NULL,
    created_at bigint NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (endpoint, event)
) WITH (fillfactor = 85);
CREATE INDEX deliveries_due ON deliveries (endpoint, due_at, event) WHERE due_at IS NOT NULL;

CREATE TABLE runs (
    id bytea NOT NULL,
    pair text COLLATE "C" NOT NULL,
    started_at bigint NOT NULL,
    ended_at bigint NOT NULL,
    method text COLLATE "C" NOT NULL,
    left_as_of bigint,
    right_as_of bigint,
    drifts bigint NOT NULL,
    drifts_digest bytea NOT NULL,
    proof bytea NOT NULL,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX runs_by_pair ON runs (pair, id);

CREATE TABLE drifts (
    run bytea NOT NULL,
    seq bigint NOT NULL,
    kind text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    standing text COLLATE "C" NOT NULL,
    first_seen_at bigint NOT NULL,
    left_hashes bytea NOT NULL,
    right_hashes bytea NOT NULL,
    told bytea NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (run, seq)
);

CREATE TABLE repair_runs (
    id bytea NOT NULL,
    pair text COLLATE "C" NOT NULL,
    cause text COLLATE "C" NOT NULL,
    undoes bytea,
    by text COLLATE "C" NOT NULL,
    started_at bigint NOT NULL,
    repairs bigint NOT NULL,
    source bytea,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX repair_runs_by_pair ON repair_runs (pair, id);

CREATE TABLE repairs (
    run bytea NOT NULL,
    no bigint NOT NULL,
    pair text COLLATE "C" NOT NULL,
    record bytea NOT NULL,
    state text COLLATE "C" NOT NULL,
    changed_at bigint NOT NULL,
    plan bytea NOT NULL,
    detail bytea,
    PRIMARY KEY (run, no)
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX repairs_by_record ON repairs (record, run, no);
CREATE UNIQUE INDEX repairs_by_state ON repairs (pair, state, run, no);

CREATE TABLE repair_journal (
    pair text COLLATE "C" NOT NULL,
    seq bigint NOT NULL,
    kind bigint NOT NULL,
    at bigint NOT NULL,
    body bytea NOT NULL,
    prev_hash bytea NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (pair, seq)
);

CREATE TABLE repair_heads (
    pair text COLLATE "C" NOT NULL,
    seq bigint NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (pair)
) WITH (fillfactor = 85);

CREATE TABLE pair_states (
    pair text COLLATE "C" NOT NULL,
    lease_owner text COLLATE "C",
    lease_epoch bigint NOT NULL,
    lease_until bigint,
    paused_at bigint,
    paused_by text COLLATE "C",
    paused_reason text COLLATE "C",
    due_at bigint,
    started_at bigint,
    ended_at bigint,
    outcome text COLLATE "C",
    detail text COLLATE "C",
    good_at bigint,
    failures bigint NOT NULL,
    failing_since bigint,
    memory bytea,
    PRIMARY KEY (pair)
) WITH (fillfactor = 85);

CREATE TABLE alerts (
    subject text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    standing text COLLATE "C" NOT NULL,
    turned_at bigint NOT NULL,
    observed_at bigint NOT NULL,
    since bigint NOT NULL,
    severity text COLLATE "C" NOT NULL,
    count bigint NOT NULL,
    relapses bigint NOT NULL,
    said bytea NOT NULL,
    told bytea NOT NULL,
    PRIMARY KEY (subject, kind)
) WITH (fillfactor = 85);

CREATE TABLE alert_channels (
    channel text COLLATE "C" NOT NULL,
    newest bigint NOT NULL,
    sent bigint NOT NULL,
    given_up bigint NOT NULL,
    failing_since bigint,
    PRIMARY KEY (channel)
) WITH (fillfactor = 85);

CREATE TABLE alert_notices (
    channel text COLLATE "C" NOT NULL,
    slot bigint NOT NULL,
    seq bigint NOT NULL,
    id bytea NOT NULL,
    state text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    due_at bigint NOT NULL,
    attempts bigint NOT NULL,
    lease bigint NOT NULL,
    ended_at bigint,
    message bytea NOT NULL,
    error bytea,
    PRIMARY KEY (channel, slot)
) WITH (fillfactor = 85);

CREATE TABLE alert_silences (
    id bytea NOT NULL,
    subject text COLLATE "C" NOT NULL,
    kind text COLLATE "C",
    begins_at bigint NOT NULL,
    ends_at bigint NOT NULL,
    by text COLLATE "C" NOT NULL,
    reason bytea NOT NULL,
    PRIMARY KEY (id)
) WITH (fillfactor = 85);

CREATE TABLE bases (
    pair text COLLATE "C" NOT NULL,
    record bytea NOT NULL,
    is_touched bigint NOT NULL,
    agreed bytea NOT NULL,
    PRIMARY KEY (pair, record)
) WITH (fillfactor = 85);

CREATE TABLE findings (
    pair text COLLATE "C" NOT NULL,
    digest bytea NOT NULL,
    id bytea NOT NULL,
    kind text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    first_seen_at bigint NOT NULL,
    opened_at bigint NOT NULL,
    last_seen_at bigint NOT NULL,
    closed_at bigint,
    judged_at bigint NOT NULL,
    run bytea NOT NULL,
    repair_run bytea,
    repair_no bigint,
    content bytea NOT NULL,
    told bytea NOT NULL,
    ignored_by text COLLATE "C",
    ignored_reason bytea,
    PRIMARY KEY (pair, digest)
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX findings_by_id ON findings (id);
CREATE UNIQUE INDEX findings_by_state ON findings (pair, state, id);

CREATE TABLE finding_actions (
    tenant bytea NOT NULL,
    key bytea NOT NULL,
    fingerprint bytea NOT NULL,
    finding bytea NOT NULL,
    action text COLLATE "C" NOT NULL,
    by text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    run bytea,
    reason bytea NOT NULL,
    PRIMARY KEY (tenant, key)
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX finding_actions_by_finding ON finding_actions (finding, at, key);
