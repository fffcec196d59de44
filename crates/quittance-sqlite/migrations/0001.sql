CREATE TABLE master_keys (
    id TEXT NOT NULL,
    proof BLOB NOT NULL,
    since INTEGER NOT NULL,
    retired_at INTEGER,
    version INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;

CREATE TABLE tenants (
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    mode TEXT NOT NULL,
    fingerprint_secret BLOB NOT NULL,
    gateway_key_secret BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX tenants_by_name ON tenants (name);

CREATE TABLE api_keys (
    id BLOB NOT NULL,
    tenant BLOB NOT NULL,
    digest BLOB NOT NULL,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER,
    ends_at INTEGER,
    last_used_at INTEGER,
    version INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX api_keys_by_digest ON api_keys (digest);
CREATE INDEX api_keys_by_tenant ON api_keys (tenant);

CREATE TABLE customers (
    id BLOB NOT NULL,
    tenant BLOB NOT NULL,
    external_id TEXT,
    name TEXT,
    email TEXT,
    currency TEXT,
    timezone TEXT,
    gateway_ids BLOB NOT NULL,
    metadata BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX customers_by_external_id ON customers (tenant, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX customers_by_tenant ON customers (tenant);

CREATE TABLE idempotency (
    tenant BLOB NOT NULL,
    key_digest BLOB NOT NULL,
    command BLOB NOT NULL,
    PRIMARY KEY (tenant, key_digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE commands (
    id BLOB NOT NULL,
    tenant BLOB NOT NULL,
    idempotency_key TEXT NOT NULL,
    operation TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    fingerprint_version INTEGER NOT NULL,
    state TEXT NOT NULL,
    subject TEXT,
    credential BLOB,
    api_version TEXT NOT NULL,
    answer_status INTEGER,
    answer_body BLOB,
    received_at INTEGER NOT NULL,
    completed_at INTEGER,
    version INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT;

CREATE TABLE intents (
    book BLOB NOT NULL,
    intent TEXT NOT NULL,
    holder TEXT NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (book, intent)
) STRICT, WITHOUT ROWID;

CREATE TABLE books (
    id BLOB NOT NULL,
    tenant BLOB NOT NULL,
    records INTEGER NOT NULL,
    head BLOB NOT NULL,
    balances BLOB NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX books_by_tenant ON books (tenant);

CREATE TABLE journal (
    book BLOB NOT NULL,
    seq INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    at INTEGER NOT NULL,
    body BLOB NOT NULL,
    prev_hash BLOB NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (book, seq)
) STRICT;

CREATE TABLE payments (
    book BLOB NOT NULL,
    id BLOB NOT NULL,
    tenant BLOB NOT NULL,
    command BLOB NOT NULL,
    effect BLOB NOT NULL,
    amount INTEGER NOT NULL,
    currency TEXT NOT NULL,
    gateway TEXT NOT NULL,
    payment_method TEXT NOT NULL,
    capture_method TEXT NOT NULL,
    return_url TEXT,
    reference TEXT NOT NULL,
    status TEXT NOT NULL,
    captured_amount INTEGER NOT NULL,
    refunded_amount INTEGER NOT NULL,
    refunding_amount INTEGER NOT NULL,
    disputed_amount INTEGER NOT NULL,
    returned_amount INTEGER NOT NULL,
    parked_by TEXT,
    gateway_object TEXT,
    object_kind TEXT NOT NULL,
    decline_code TEXT,
    decline_is_retryable INTEGER,
    next_action TEXT,
    description TEXT,
    metadata BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (book, id)
) STRICT;
CREATE UNIQUE INDEX payments_by_tenant ON payments (tenant, id);
CREATE INDEX payments_by_reference ON payments (tenant, reference, book, id);

CREATE TABLE refunds (
    book BLOB NOT NULL,
    id BLOB NOT NULL,
    tenant BLOB NOT NULL,
    payment BLOB NOT NULL,
    command BLOB NOT NULL,
    effect BLOB NOT NULL,
    amount INTEGER NOT NULL,
    currency TEXT NOT NULL,
    gateway TEXT NOT NULL,
    reference TEXT,
    reason TEXT,
    status TEXT NOT NULL,
    parked_by TEXT,
    gateway_object TEXT,
    failure_code TEXT,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (book, id)
) STRICT;
CREATE UNIQUE INDEX refunds_by_tenant ON refunds (tenant, id);
CREATE INDEX refunds_by_payment ON refunds (book, payment, id);
CREATE INDEX refunds_by_reference ON refunds (tenant, reference, book, id) WHERE reference IS NOT NULL;

CREATE TABLE disputes (
    book BLOB NOT NULL,
    id BLOB NOT NULL,
    tenant BLOB NOT NULL,
    payment BLOB NOT NULL,
    gateway TEXT NOT NULL,
    object TEXT NOT NULL,
    status TEXT NOT NULL,
    amount INTEGER NOT NULL,
    currency TEXT NOT NULL,
    reason TEXT NOT NULL,
    evidence_due_by INTEGER,
    answerable_until INTEGER,
    submissions INTEGER NOT NULL,
    withdrawn_amount INTEGER NOT NULL,
    is_written_off INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (book, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX disputes_by_tenant ON disputes (tenant, id);
CREATE UNIQUE INDEX disputes_by_object ON disputes (gateway, object);
CREATE INDEX disputes_by_payment ON disputes (book, payment);
CREATE INDEX disputes_by_deadline ON disputes (answerable_until) WHERE answerable_until IS NOT NULL;

CREATE TABLE evidence (
    book BLOB NOT NULL,
    effect BLOB NOT NULL,
    tenant BLOB NOT NULL,
    dispute BLOB NOT NULL,
    stage TEXT NOT NULL,
    command BLOB NOT NULL,
    texts BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (book, effect)
) STRICT, WITHOUT ROWID;

CREATE TABLE effects (
    book BLOB NOT NULL,
    id BLOB NOT NULL,
    tenant BLOB NOT NULL,
    payment BLOB NOT NULL,
    gateway TEXT NOT NULL,
    lane TEXT NOT NULL,
    state TEXT NOT NULL,
    parked_by TEXT,
    body BLOB NOT NULL,
    due_at INTEGER,
    lease_owner INTEGER NOT NULL,
    lease_epoch INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (book, id)
) STRICT;
CREATE INDEX effects_due ON effects (gateway, lane, due_at, book, id) WHERE due_at IS NOT NULL;
CREATE UNIQUE INDEX effects_by_tenant ON effects (tenant, id);
CREATE INDEX effects_parked ON effects (parked_by, book, id) WHERE parked_by IS NOT NULL;

CREATE TABLE tickets (
    book BLOB NOT NULL,
    effect BLOB NOT NULL,
    step TEXT NOT NULL,
    generation INTEGER NOT NULL,
    send_no INTEGER NOT NULL,
    gateway_key TEXT NOT NULL,
    reference TEXT,
    request_digest BLOB NOT NULL,
    request BLOB NOT NULL,
    lease_epoch INTEGER NOT NULL,
    issued_at INTEGER NOT NULL,
    deadline INTEGER NOT NULL,
    PRIMARY KEY (book, effect, step, generation, send_no)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX tickets_by_reference ON tickets (reference) WHERE reference IS NOT NULL;

CREATE TABLE closed_holds (
    book BLOB NOT NULL,
    hold BLOB NOT NULL,
    closing TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (book, hold)
) STRICT, WITHOUT ROWID;

CREATE TABLE gateway_objects (
    gateway TEXT NOT NULL,
    object TEXT NOT NULL,
    kind TEXT NOT NULL,
    book BLOB,
    effect BLOB,
    payment BLOB,
    state TEXT NOT NULL,
    waiting_on TEXT,
    status TEXT,
    status_since INTEGER,
    read_sequence INTEGER NOT NULL,
    is_stale INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    troubled_since INTEGER,
    first_seen_at INTEGER NOT NULL,
    last_read_at INTEGER,
    due_at INTEGER,
    lease_owner INTEGER NOT NULL,
    lease_epoch INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (gateway, object)
) STRICT, WITHOUT ROWID;
CREATE INDEX gateway_objects_due ON gateway_objects (gateway, due_at) WHERE due_at IS NOT NULL;

CREATE TABLE orphans (
    book BLOB NOT NULL,
    gateway TEXT NOT NULL,
    reference TEXT NOT NULL,
    found BLOB NOT NULL,
    is_more INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (book, gateway, reference)
) STRICT, WITHOUT ROWID;

CREATE TABLE movements (
    gateway TEXT NOT NULL,
    movement TEXT NOT NULL,
    book BLOB NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (gateway, movement)
) STRICT, WITHOUT ROWID;

CREATE TABLE inbox (
    gateway TEXT NOT NULL,
    event TEXT NOT NULL,
    kind TEXT NOT NULL,
    object TEXT,
    book BLOB,
    disposition TEXT NOT NULL,
    source TEXT NOT NULL,
    endpoint TEXT,
    secret TEXT,
    verified_at INTEGER,
    received_at INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (gateway, event)
) STRICT;
CREATE INDEX inbox_by_object ON inbox (object, gateway, event) WHERE object IS NOT NULL;

CREATE TABLE sweeps (
    gateway TEXT NOT NULL,
    sweep TEXT NOT NULL,
    cursor INTEGER,
    created_from INTEGER,
    newest INTEGER,
    resume_after TEXT,
    is_full INTEGER NOT NULL,
    started_at INTEGER,
    completed_at INTEGER,
    version INTEGER NOT NULL,
    PRIMARY KEY (gateway, sweep)
) STRICT, WITHOUT ROWID;

CREATE TABLE discrepancies (
    id BLOB NOT NULL,
    tenant BLOB,
    gateway TEXT NOT NULL,
    object TEXT NOT NULL,
    kind TEXT NOT NULL,
    payment BLOB,
    detail TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    closed_at INTEGER,
    open_since INTEGER,
    version INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX discrepancies_by_object ON discrepancies (gateway, object, kind);
CREATE INDEX discrepancies_by_payment ON discrepancies (payment) WHERE payment IS NOT NULL;
CREATE INDEX discrepancies_open ON discrepancies (open_since) WHERE open_since IS NOT NULL;

CREATE TABLE switches (
    name TEXT NOT NULL,
    is_paused INTEGER NOT NULL,
    reason TEXT,
    by TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (name)
) STRICT, WITHOUT ROWID;

CREATE TABLE counters (
    tenant BLOB NOT NULL,
    name TEXT NOT NULL,
    tally BLOB NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE clocks (
    name TEXT NOT NULL,
    wall INTEGER NOT NULL,
    boot TEXT NOT NULL,
    steady_ms INTEGER NOT NULL,
    era INTEGER NOT NULL,
    era_began_at INTEGER NOT NULL,
    dated_since INTEGER NOT NULL,
    ahead_ms INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (name)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    tenant BLOB NOT NULL,
    id BLOB NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    book BLOB NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;
CREATE INDEX events_by_subject ON events (tenant, subject, id);

CREATE TABLE webhook_endpoints (
    tenant BLOB NOT NULL,
    endpoints BLOB NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (tenant)
) STRICT, WITHOUT ROWID;

CREATE TABLE deliveries (
    endpoint BLOB NOT NULL,
    event BLOB NOT NULL,
    tenant BLOB NOT NULL,
    state TEXT NOT NULL,
    tries INTEGER NOT NULL,
    history BLOB NOT NULL,
    due_at INTEGER,
    lease_owner INTEGER NOT NULL,
    lease_epoch INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (endpoint, event)
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_due ON deliveries (endpoint, due_at) WHERE due_at IS NOT NULL;

CREATE TABLE runs (
    id BLOB NOT NULL,
    pair TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    method TEXT NOT NULL,
    left_as_of INTEGER,
    right_as_of INTEGER,
    drifts INTEGER NOT NULL,
    drifts_digest BLOB NOT NULL,
    proof BLOB NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX runs_by_pair ON runs (pair, id);

CREATE TABLE drifts (
    run BLOB NOT NULL,
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    standing TEXT NOT NULL,
    first_seen_at INTEGER NOT NULL,
    left_hashes BLOB NOT NULL,
    right_hashes BLOB NOT NULL,
    told BLOB NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (run, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE repair_runs (
    id BLOB NOT NULL,
    pair TEXT NOT NULL,
    cause TEXT NOT NULL,
    undoes BLOB,
    by TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    repairs INTEGER NOT NULL,
    source BLOB,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX repair_runs_by_pair ON repair_runs (pair, id);

CREATE TABLE repairs (
    run BLOB NOT NULL,
    no INTEGER NOT NULL,
    pair TEXT NOT NULL,
    record BLOB NOT NULL,
    state TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    plan BLOB NOT NULL,
    detail BLOB,
    PRIMARY KEY (run, no)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX repairs_by_record ON repairs (record, run, no);
CREATE UNIQUE INDEX repairs_by_state ON repairs (pair, state, run, no);

CREATE TABLE repair_journal (
    pair TEXT NOT NULL,
    seq INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    at INTEGER NOT NULL,
    body BLOB NOT NULL,
    prev_hash BLOB NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (pair, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE repair_heads (
    pair TEXT NOT NULL,
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (pair)
) STRICT, WITHOUT ROWID;

CREATE TABLE pair_states (
    pair TEXT NOT NULL,
    lease_owner TEXT,
    lease_epoch INTEGER NOT NULL,
    lease_until INTEGER,
    paused_at INTEGER,
    paused_by TEXT,
    paused_reason TEXT,
    due_at INTEGER,
    started_at INTEGER,
    ended_at INTEGER,
    outcome TEXT,
    detail TEXT,
    good_at INTEGER,
    failures INTEGER NOT NULL,
    failing_since INTEGER,
    memory BLOB,
    PRIMARY KEY (pair)
) STRICT, WITHOUT ROWID;

CREATE TABLE alerts (
    subject TEXT NOT NULL,
    kind TEXT NOT NULL,
    standing TEXT NOT NULL,
    turned_at INTEGER NOT NULL,
    observed_at INTEGER NOT NULL,
    since INTEGER NOT NULL,
    severity TEXT NOT NULL,
    count INTEGER NOT NULL,
    relapses INTEGER NOT NULL,
    said BLOB NOT NULL,
    told BLOB NOT NULL,
    PRIMARY KEY (subject, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE alert_channels (
    channel TEXT NOT NULL,
    newest INTEGER NOT NULL,
    sent INTEGER NOT NULL,
    given_up INTEGER NOT NULL,
    failing_since INTEGER,
    PRIMARY KEY (channel)
) STRICT, WITHOUT ROWID;

CREATE TABLE alert_notices (
    channel TEXT NOT NULL,
    slot INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    id BLOB NOT NULL,
    state TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    lease INTEGER NOT NULL,
    ended_at INTEGER,
    message BLOB NOT NULL,
    error BLOB,
    PRIMARY KEY (channel, slot)
) STRICT, WITHOUT ROWID;

CREATE TABLE alert_silences (
    id BLOB NOT NULL,
    subject TEXT NOT NULL,
    kind TEXT,
    begins_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    by TEXT NOT NULL,
    reason BLOB NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;

CREATE TABLE bases (
    pair TEXT NOT NULL,
    record BLOB NOT NULL,
    is_touched INTEGER NOT NULL,
    agreed BLOB NOT NULL,
    PRIMARY KEY (pair, record)
) STRICT, WITHOUT ROWID;

CREATE TABLE findings (
    pair TEXT NOT NULL,
    digest BLOB NOT NULL,
    id BLOB NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    state TEXT NOT NULL,
    first_seen_at INTEGER NOT NULL,
    opened_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    closed_at INTEGER,
    judged_at INTEGER NOT NULL,
    run BLOB NOT NULL,
    repair_run BLOB,
    repair_no INTEGER,
    content BLOB NOT NULL,
    told BLOB NOT NULL,
    ignored_by TEXT,
    ignored_reason BLOB,
    PRIMARY KEY (pair, digest)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX findings_by_id ON findings (id);
CREATE UNIQUE INDEX findings_by_state ON findings (pair, state, id);

CREATE TABLE finding_actions (
    tenant BLOB NOT NULL,
    key BLOB NOT NULL,
    fingerprint BLOB NOT NULL,
    finding BLOB NOT NULL,
    action TEXT NOT NULL,
    by TEXT NOT NULL,
    at INTEGER NOT NULL,
    run BLOB,
    reason BLOB NOT NULL,
    PRIMARY KEY (tenant, key)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX finding_actions_by_finding ON finding_actions (finding, at, key);
