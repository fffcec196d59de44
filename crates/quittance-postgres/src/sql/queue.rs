//! Statements of a queue: claiming rows of its lanes, and taking over what a clock that ran ahead put off.

use super::{all_columns, and_indexed, arrays, key_names};
use quittance_store::schema::Table;
use quittance_store::shape::{DUE_AT, LEASE_EPOCH, LEASE_OWNER, VERSION};

/// Statements of a queue.
pub(crate) struct QueueSql {
    /// `$1…` columns of lanes, then a column of limits, then now, lease end and owner. Gives the place of the lane, since
    /// when the row was due, and the row as it is then; in no order.
    pub(crate) claim: String,
    /// `$1` now, `$2` the latest time a row may be due at; gives how many were due later.
    pub(crate) take_over: String,
    /// `$1` now, `$2` owners; gives how many rows they held that nobody is writing to.
    pub(crate) release: String,
}

impl QueueSql {
    pub(crate) fn new(table: &'static Table) -> Self {
        let (name, lane) = (table.name, table.lane());
        let keys = key_names(table);
        let listed = |prefix: &str| keys.iter().map(|key| format!("{prefix}{key}")).collect::<Vec<_>>().join(", ");
        let equal = keys.iter().map(|key| format!("t.{key} = due.{key}")).collect::<Vec<_>>().join(" AND ");
        let next_version = table.find(VERSION).map_or("", |_| ", version = t.version + 1");
        let lanes: Vec<String> = (1..=lane.len()).map(|number| format!("lane{number}")).collect();
        let of_lane: Vec<String> =
            lane.iter().zip(&lanes).map(|(column, lane)| format!("q.{column} = share.{lane}")).collect();
        let order = table.order(Some(table.due_index()));
        let order = order.iter().map(|&at| format!("q.{}", table.columns[at].name)).collect::<Vec<_>>().join(", ");
        let is_due = and_indexed(table, table.due_index());
        assert!(!is_due.is_empty(), "{name}.{DUE_AT} must be nullable");
        let (limits, now) = (lane.len() + 1, lane.len() + 2);
        let (end, owner) = (now + 1, now + 2);
        let claim = format!(
            "WITH due AS MATERIALIZED (SELECT share.place, one.* FROM unnest({}, ${limits}::bigint[]) WITH ORDINALITY \
             AS share ({}, most, place) CROSS JOIN LATERAL (SELECT {}, q.{DUE_AT} AS since FROM {name} AS q WHERE {}{is_due} \
             AND q.{DUE_AT} <= ${now} ORDER BY {order} LIMIT share.most FOR NO KEY UPDATE OF q SKIP LOCKED) AS one) \
             UPDATE {name} AS t SET {DUE_AT} = ${end}, {LEASE_OWNER} = ${owner}, {LEASE_EPOCH} = t.{LEASE_EPOCH} + 1\
             {next_version} FROM due WHERE {equal} RETURNING due.place, due.since, {}",
            arrays(table, lane.iter().map(|column| table.position(column)), 1),
            lanes.join(", "),
            listed("q."),
            of_lane.join(" AND "),
            all_columns(table),
        );
        let take_over = format!(
            "WITH due AS MATERIALIZED (SELECT {} FROM {name} AS q WHERE q.{DUE_AT} > $2 ORDER BY {} \
             FOR NO KEY UPDATE OF q), taken AS (UPDATE {name} AS t SET {DUE_AT} = $1, {LEASE_OWNER} = 0{next_version} \
             FROM due WHERE {equal} RETURNING 1) SELECT count(*) FROM taken",
            listed("q."),
            listed("q."),
        );
        // Whoever writes to one of them has it in hand; what is skipped is due when its lease ends.
        let release = format!(
            "WITH held AS MATERIALIZED (SELECT {} FROM {name} AS q WHERE q.{LEASE_OWNER} = ANY($2::bigint[]){is_due} \
             FOR NO KEY UPDATE OF q SKIP LOCKED), released AS (UPDATE {name} AS t SET {DUE_AT} = $1, {LEASE_OWNER} = 0\
             {next_version} FROM held AS due WHERE {equal} RETURNING 1) SELECT count(*) FROM released",
            listed("q."),
        );
        Self { claim, take_over, release }
    }
}
