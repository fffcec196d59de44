//! Systems as they are configured.

use super::read_all;
use quittance_server::config::Config;
use quittance_server::systems::{self, Blame, System, SystemError};
use std::path::Path;
use tempfile::TempDir;

fn open(text: &str, name: &str) -> Result<Box<dyn System>, SystemError> {
    let config = Config::from_text(text, &|_| None).unwrap();
    systems::open::open(name, &config.systems[name], None, &Path::new("no-data-here").into())
}

#[test]
fn every_kind_of_file_is_opened_as_configured() {
    let folder = TempDir::new().unwrap();
    let place = folder.path().display();
    std::fs::write(folder.path().join("a.csv"), "id;note\n1;-\n").unwrap();
    let writer = rusqlite::Connection::open(folder.path().join("app.db")).unwrap();
    writer.execute_batch("CREATE TABLE t (id INTEGER); INSERT INTO t VALUES (7)").unwrap();
    let text = format!(
        "[systems.files]\nkind = \"csv\"\npath = \"{place}\"\ndelimiter = \";\"\nnull = \"-\"\n\
         [systems.app]\nkind = \"sqlite\"\npath = \"{place}/app.db\"\n[systems.ours]\nkind = \"ledger\"\n"
    );
    assert_eq!(read_all(&mut *open(&text, "files").unwrap(), "a", &["id", "note"]), ["Untyped 1 | NULL"]);
    assert_eq!(read_all(&mut *open(&text, "app").unwrap(), "t", &["id"]), ["Number 7"]);
    let error = open(&text, "ours").err().expect("there is no data");
    assert_eq!(error.blame, Blame::Configuration);
    assert!(error.remedy.contains("--data"), "{error:?}");
}
