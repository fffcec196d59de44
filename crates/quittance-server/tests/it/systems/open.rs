//! Systems as they are configured.

use super::check_error;
use super::read_all;
use quittance_server::config::{Config, OnRepair, Secret, Triggers};
use quittance_server::systems::write::WriteOptions;
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

#[test]
fn nothing_is_written_that_nobody_said_may_be() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("app.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (id INTEGER)").unwrap();
    let path = path.display();
    let text = format!(
        "[systems.app]\nkind = \"postgres\"\nurl = \"env:URL\"\n\
         [systems.primary]\nkind = \"postgres\"\nurl = \"env:URL\"\nwrite_url = \"env:WRITE_URL\"\n\
         [systems.file]\nkind = \"sqlite\"\npath = \"{path}\"\n\
         [systems.mine]\nkind = \"sqlite\"\npath = \"{path}\"\nwritable = true\n\
         [systems.export]\nkind = \"csv\"\npath = \"here\"\n[systems.ours]\nkind = \"ledger\"\n\
         [systems.stripe]\nkind = \"stripe\"\napi_key = \"env:KEY\"\n\
         [systems.account]\nkind = \"stripe\"\napi_key = \"env:KEY\"\nwrite_api_key = \"env:WRITE_KEY\"\n\
         [systems.crm]\nkind = \"http\"\nbase_url = \"https://crm.example\"\ntoken = \"env:T\"\n{object}\
         [systems.api]\nkind = \"http\"\nbase_url = \"https://crm.example\"\ntoken = \"env:T\"\n{writable}\
         [systems.both]\nkind = \"http\"\nbase_url = \"https://crm.example\"\ntoken = \"env:T\"\n\
         write_token = \"env:W\"\n{writable}\
         [systems.open]\nkind = \"http\"\nbase_url = \"http://127.0.0.1\"\n{writable}",
        object = "[systems.crm.objects.a]\nlist = \"/a\"\npaging = \"none\"\n",
        writable = "objects.a = { list = \"/a\", paging = \"none\", get = \"/a/{key}\", write = \"/a/{key}\", \
                    writable_fields = [\"plan\"] }\n",
    );
    let config = Config::from_text(&text, &|_| None).unwrap();
    let url = Secret::new("postgres://writer@127.0.0.1/app".to_owned());
    let writer = |name: &str| systems::open::writer(name, &config.systems[name], Some(&url), WriteOptions::default());
    for (name, words) in [
        ("app", &["`app` may be written", "write_url = "][..]),
        ("file", &["`file` may be written", "writable = true"]),
        ("export", &["`export` is of the kind csv", "cannot be written yet"]),
        ("ours", &["`ours` is of the kind ledger", "cannot be written yet"]),
        ("crm", &["`crm` may be written", "add write = ", "writable_fields"]),
        ("api", &["`api` may be written", "add write_token = "]),
        ("stripe", &["`stripe` may be written", "write_api_key = ", "restricted key with Write"]),
    ] {
        check_error(writer(name), Blame::Configuration, words);
    }
    for name in ["primary", "mine", "account", "both"] {
        assert!(writer(name).is_ok(), "{name}");
    }
    // Who is asked for no credential needs none to write.
    assert!(systems::open::writer("open", &config.systems["open"], None, WriteOptions::default()).is_ok());
    for (name, kind) in [("account", "kind stripe"), ("both", "kind http")] {
        let skipping = WriteOptions { triggers: Triggers::Skip, ..WriteOptions::default() };
        let skipping = systems::open::writer(name, &config.systems[name], Some(&url), skipping);
        check_error(skipping, Blame::Configuration, &[kind, "cannot be skipped", "fire"]);
    }
    let without = systems::open::writer("primary", &config.systems["primary"], None, WriteOptions::default());
    check_error(without, Blame::Configuration, &["no credential"]);
}

fn pair(left: &str) -> Result<Config, String> {
    let text = format!(
        "[systems.a]\nkind = \"ledger\"\n[pairs.p]\nleft = {{ system = \"a\", table = \"t\"{left} }}\n\
         right = {{ system = \"a\", table = \"u\" }}\nmatch = [ {{ left = \"id\", right = \"id\" }} ]\n"
    );
    Config::from_text(&text, &|_| None).map_err(|errors| errors.to_string())
}

#[test]
fn what_a_repair_does_beside_its_fields_is_configured() {
    for (left, touched, triggers) in [
        ("", None, Triggers::Fire),
        (", updated_at = \"at\"", Some("at"), Triggers::Fire),
        (", updated_at = \"at\", on_repair = \"touch\", triggers = \"skip\"", Some("at"), Triggers::Skip),
        (", updated_at = \"at\", on_repair = \"keep\", triggers = \"fire\"", None, Triggers::Fire),
        (", updated_at = \"at | epoch_to_timestamp\"", None, Triggers::Fire),
    ] {
        let config = pair(left).unwrap();
        let side = &config.pairs["p"].left;
        assert_eq!((side.touched(), side.triggers), (touched, triggers), "{left}");
        let options = WriteOptions { updated_at: touched.map(str::to_owned), triggers };
        assert_eq!(WriteOptions::of(side), options);
        assert_eq!(side.on_repair == OnRepair::Touch, touched.is_some());
    }
    for (left, words) in [
        (", on_repair = \"touch\"", ["no updated_at", "add updated_at"]),
        (
            ", updated_at = \"at | epoch_to_timestamp\", on_repair = \"touch\"",
            ["cannot be set", "on_repair = \"keep\""],
        ),
        (", updated_at = \"at\", on_repair = \"tuch\"", ["not something to do to updated_at", "did you mean `touch`"]),
        (", triggers = \"off\"", ["not something to do with triggers", "fire, skip"]),
        (", triger = \"fire\"", ["triger", "triggers"]),
    ] {
        let errors = pair(left).unwrap_err();
        assert!(words.iter().all(|word| errors.contains(word)), "{errors}");
    }
}
