//! PostgreSQL passes the suite that every store passes.

use quittance_postgres::{Options, PostgresDatabase};
use quittance_store::conformance::{self, Harness};
use quittance_store::store::Store;
use quittance_surroundings::Postgres;

#[test]
fn conforms() {
    let Some(server) = Postgres::shared("quittance-postgres: conformance") else { return };
    let (database, options) = (server.fresh_database(), Options::default());
    let url = server.url(&database);
    drop(PostgresDatabase::open_for_writing(&url, &options).unwrap());
    let tables = quittance_store::tables::ALL.map(|table| format!("quittance.{}", table.name)).join(", ");
    conformance::run(&mut || {
        server.sql(&database, &format!("TRUNCATE {tables}"));
        let lane = || -> Box<dyn Store> { Box::new(PostgresDatabase::open_for_writing(&url, &options).unwrap()) };
        Harness {
            lanes: vec![lane(), lane(), lane()],
            reader: Box::new(PostgresDatabase::open_reader(&url, &options).unwrap()),
            keep: Box::new(()),
        }
    });
}
