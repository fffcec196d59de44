//! Two systems compared, end to end through the port: real files on both sides.

mod bad_input;
mod corpus;
mod kept;
mod keys;
mod matching;
mod moving;

use quittance_core::pair::Which;
use quittance_core::pair::settle::Standing;
use quittance_server::config::{Config, Pair};
use quittance_server::diff::{DiffError, Outcome, Settings, Source, diff};
use quittance_server::systems::System;
use quittance_server::systems::sqlite::{PATIENCE, Sqlite};
use rusqlite::Connection;
use std::path::PathBuf;
use tempfile::TempDir;

/// An SQLite file that the test may write and a comparison may read.
pub struct File {
    folder: TempDir,
    pub writer: Connection,
}

impl File {
    pub fn new(schema: &str) -> Self {
        let folder = TempDir::new().expect("a folder");
        let writer = Connection::open(folder.path().join("app.db")).expect("a file");
        writer.pragma_update(None, "journal_mode", "wal").expect("a log");
        writer.execute_batch(schema).expect("a schema");
        Self { folder, writer }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("app.db")
    }

    pub fn open(&self) -> Sqlite {
        Sqlite::open("app", &self.path(), PATIENCE).expect("it opens")
    }
}

/// The pair `p` of a configuration between systems `a` and `b`, of which only the names matter here.
pub fn pair(text: &str) -> Pair {
    let systems = "[systems.a]\nkind = \"sqlite\"\npath = \"a\"\n[systems.b]\nkind = \"sqlite\"\npath = \"b\"\n";
    let config = Config::from_text(&format!("{systems}{text}"), &|_| None);
    config.unwrap_or_else(|errors| panic!("{errors}")).pairs.remove("p").expect("the pair")
}

/// Compares, and does something between the two looks.
pub fn compare(
    pair: &Pair,
    left: &mut dyn System,
    right: &mut dyn System,
    meanwhile: impl FnMut(),
) -> Result<Outcome, DiffError> {
    compare_only(None, pair, left, right, meanwhile)
}

/// Compares the records of one key, or all.
pub fn compare_only(
    only: Option<&str>,
    pair: &Pair,
    left: &mut dyn System,
    right: &mut dyn System,
    mut meanwhile: impl FnMut(),
) -> Result<Outcome, DiffError> {
    let mut left = Source { name: "a", system: left, object: &pair.left.object, which: Which::Left };
    let mut right = Source { name: "b", system: right, object: &pair.right.object, which: Which::Right };
    let settings = Settings { hash_key: [9; 32], only: only.map(str::to_owned), wait: &mut meanwhile };
    diff("p", pair, &mut left, &mut right, settings)
}

/// What was found of each kind and standing, as lines of one word each and the keys.
pub fn told(outcome: &Outcome) -> Vec<String> {
    let line = |one: &quittance_server::diff::Reported| {
        let finding = &one.finding;
        let seen = finding.left.iter().chain(&finding.right).next().expect("a record of either side");
        let record = quittance_core::pair::row::Record::new(&seen.record);
        let key = finding.key.as_deref().map(quittance_core::record::key::decode_key);
        let values = key.unwrap_or_else(|| {
            let identity = quittance_core::pair::row::decode_identity(record);
            identity.into_iter().map(quittance_core::record::value::Value::into_owned).collect()
        });
        let standing = match one.standing {
            Standing::Confirmed => "",
            Standing::Moving => " moving",
            Standing::Settled => " settled",
        };
        format!("{} {}{standing}", finding.kind.as_str(), quittance_core::pair::row::shown(values.iter()))
    };
    outcome.reported.iter().map(line).collect()
}
