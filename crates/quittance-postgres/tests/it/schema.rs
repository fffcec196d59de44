//! The migrations are what the declarations say.

use quittance_store::{ddl, tables};
use std::path::Path;

/// Run with `QUITTANCE_UPDATE_GOLDEN=1` to write the file anew: only ever before the first release. After it, a change
/// of the declarations is a new migration, and this test compares what all of them make.
#[test]
fn first_migration_is_the_declarations() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/0001.sql");
    let rendered = format!("SET LOCAL search_path = quittance;\n\n{}", ddl::postgres(&tables::ALL));
    if std::env::var_os("QUITTANCE_UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &rendered).unwrap();
    }
    let pinned = std::fs::read_to_string(&path).unwrap();
    assert!(pinned == rendered, "migrations/0001.sql differs from the declarations:\n{rendered}");
}
