//! PostgreSQL as a system, against a real server. Does not own what is compared.

mod checksums;
mod failures;
mod keys;
mod names;
mod replica;
mod rights;
mod snapshot;
mod sums;
mod tls;
mod types;
mod writing;

use quittance_core::pair::{Column, Side};
use quittance_core::record::value::Value;
use quittance_server::config::Secret;
use quittance_server::systems::postgres::Postgres;
use quittance_server::systems::{Blame, Reading, System, SystemError, Wanted};
use quittance_surroundings::Postgres as Server;
use std::ops::ControlFlow;

type Row = Vec<Value<'static>>;

/// A database of its own on the shared server, after some statements.
struct Database {
    server: &'static Server,
    name: String,
}

impl Database {
    fn with(subject: &str, statements: &str) -> Option<Self> {
        let server = Server::shared(subject)?;
        let database = Self { name: server.fresh_database(), server };
        database.sql(statements);
        Some(database)
    }

    fn sql(&self, statements: &str) -> String {
        self.server.sql(&self.name, statements)
    }

    fn system(&self) -> Postgres {
        system(&self.server.url(&self.name))
    }

    /// As the role `asker`, who may nothing that nobody granted.
    fn system_of_asker(&self) -> Postgres {
        // Roles belong to the server, which other tests use as well.
        let role = format!("asker_of_{}", self.name);
        self.sql(&format!("CREATE ROLE {role} LOGIN"));
        system(&self.server.url(&self.name).replace("postgres@", &format!("{role}@")))
    }
}

fn system(url: &str) -> Postgres {
    Postgres::new("app", &Secret::new(url.to_owned()), 60, 60).unwrap()
}

/// A side of these columns, of which the first `keys` are its only rule and the rest is compared. `column->/pointer`
/// points into JSON.
fn side(keys: usize, columns: &[&str]) -> Side {
    let column = |name: &&str| match name.split_once("->") {
        Some((name, pointer)) => Column { pointer: Some(pointer.to_owned()), ..Column::plain(name) },
        None => Column::plain(*name),
    };
    Side {
        columns: columns.iter().map(column).collect(),
        identity: (0..keys).collect(),
        rules: vec![(0..keys).collect()],
        fields: (keys..columns.len()).collect(),
        ..Side::default()
    }
}

fn try_read(
    system: &mut Postgres,
    object: &str,
    side: &Side,
    wanted: &Wanted,
) -> Result<(Vec<Row>, Reading), SystemError> {
    let mut rows = Vec::new();
    let reading = system.read(object, side, wanted, &mut |row| {
        rows.push(row.iter().cloned().map(Value::into_owned).collect());
        ControlFlow::Continue(())
    })?;
    assert_eq!(reading.rows, rows.len() as u64);
    Ok((rows, reading))
}

/// All rows, in the order of what they are.
fn read(system: &mut Postgres, object: &str, side: &Side, wanted: &Wanted) -> Vec<Row> {
    sorted(try_read(system, object, side, wanted).unwrap().0)
}

fn sorted(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort_by_cached_key(|row| format!("{row:?}"));
    rows
}

fn refused(error: &SystemError, blame: Blame, what: &str, remedy: &str) {
    assert_eq!(error.blame, blame, "{error:?}");
    assert!(error.what.contains("`app`") && error.what.contains(what), "{} does not say {what}", error.what);
    assert!(error.remedy.contains(remedy), "{} does not say {remedy}", error.remedy);
}

fn text(text: &str) -> Value<'static> {
    Value::Text(text.to_owned().into())
}

fn integer(integer: i64) -> Value<'static> {
    Value::integer(integer)
}
