//! What the catalogue says of a table that is to be written: which columns can be, and who may.

/// A table or view that is to be written.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Target {
    /// Its columns in their order.
    pub columns: Vec<TargetColumn>,
}

/// A column of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetColumn {
    /// Its name.
    pub name: String,
    /// Its type, or what its domain is made of, as it is written in a statement.
    pub type_name: String,
    /// The same with its length or its scale, where it has one that PostgreSQL itself knows.
    pub limited_type: Option<String>,
    /// Whether it has to hold something.
    pub is_required: bool,
    /// Whether PostgreSQL makes its values.
    pub is_generated: bool,
    /// Whether the role may change it.
    pub may_update: bool,
    /// Whether the table or view can be changed in it at all.
    pub is_updatable: bool,
}

impl Target {
    /// A column by its exact name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&TargetColumn> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// Asks for the columns of a table that is to be written: rows for [`target_column`].
#[must_use]
pub fn target(oid: u32) -> String {
    format!(
        "WITH RECURSIVE made AS (SELECT attnum, attname, attgenerated <> '' OR attidentity = 'a' AS is_generated, \
         attnotnull AS is_required, atttypid AS type, atttypmod AS typmod FROM pg_attribute WHERE attrelid = {oid} AND attnum > 0 AND NOT attisdropped \
         UNION ALL SELECT attnum, attname, is_generated, is_required OR typnotnull, typbasetype, typtypmod FROM made JOIN pg_type ON pg_type.oid = type \
         WHERE typtype = 'd') \
         SELECT attname, quote_ident(nspname) || '.' || quote_ident(typname), is_generated, \
         has_column_privilege({oid}, attnum, 'UPDATE'), pg_column_is_updatable({oid}::regclass, attnum, true), is_required, \
         CASE WHEN typmod >= 0 AND nspname = 'pg_catalog' AND typcategory <> 'A' THEN format_type(type, typmod) END \
         FROM made JOIN pg_type ON pg_type.oid = type JOIN pg_namespace ON pg_namespace.oid = typnamespace \
         WHERE typtype <> 'd' ORDER BY attnum"
    )
}

/// Asks whether somebody else holds all of a table so that nobody can write it: one row.
#[must_use]
pub fn held(oid: u32) -> String {
    format!(
        "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'relation' AND relation = {oid} AND granted \
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND pid <> pg_backend_pid() \
         AND mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'))"
    )
}

/// Reads a row of [`target`].
#[must_use]
pub fn target_column(row: &[Option<String>]) -> Option<TargetColumn> {
    let [name, type_name, is_generated, may_update, is_updatable, is_required, limited_type] = row else { return None };
    let is = |text: &Option<String>| text.as_deref() == Some("t");
    Some(TargetColumn {
        name: name.clone()?,
        type_name: type_name.clone()?,
        limited_type: limited_type.clone(),
        is_required: is(is_required),
        is_generated: is(is_generated),
        may_update: is(may_update),
        is_updatable: is(is_updatable),
    })
}
