//! Databases that cannot be used: each is named with what is wrong, and never with a password.

use crate::proxy::{Manner, Proxy};
use crate::support::{Place, book_key, found, money, open};
use quittance_postgres::{Options, PostgresDatabase};
use quittance_store::store::{Reader, StoreError};
use quittance_store::tables::BOOKS;
use quittance_surroundings::Postgres;
use std::error::Error;
use std::net::TcpListener;

/// What is said when a database is opened for writing, with what would be right.
fn said(url: &str) -> (String, &'static str) {
    let url = url.replace("postgres@", "postgres:hunter2@");
    let Err(error) = PostgresDatabase::open_for_writing(&url, &Options::default()) else { panic!("{url} is opened") };
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        said = format!("{said}: {inner}");
        cause = inner.source();
    }
    assert!(!format!("{said} {error:?}").contains("hunter2"), "{said}");
    match error {
        StoreError::Unsuitable { remedy, .. } => (said, remedy),
        StoreError::Unreachable { .. } | StoreError::NewerSchema { .. } => (said, ""),
        other => panic!("{other:?}"),
    }
}

fn check(url: &str, expected: &str, right: &str) {
    let (said, remedy) = said(url);
    assert!(said.contains(expected) && remedy.contains(right), "{said} ({remedy})");
}

#[test]
fn addresses_that_lead_nowhere_are_named() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    check(&format!("postgresql://postgres@127.0.0.1:{port}/books"), "/books cannot be reached: error connecting", "");
    check("mysql://postgres@127.0.0.1/books", "is none of PostgreSQL (it is not shown", "write postgres://");
    let Some(place) = Place::new("addresses that lead nowhere") else { return };
    check(&place.server.url("nowhere"), "database \"nowhere\" does not exist", "check the name of the database");
    let encrypted = format!("{}?sslmode=require", place.url());
    check(&encrypted, "server does not support TLS", "check sslmode");
}

#[test]
fn schemas_of_others_and_of_newer_versions_are_left_alone() {
    let Some(place) = Place::new("schemas of others") else { return };
    place.sql("CREATE SCHEMA quittance; CREATE TABLE quittance.receipts (id int)");
    check(&place.url(), "its schema `quittance` has 1 tables and indexes that are not ours", "another database");
    assert_eq!(place.sql("SELECT count(*) FROM pg_class WHERE relnamespace = 'quittance'::regnamespace"), "1");
    place.sql("DROP TABLE quittance.receipts");
    drop(place.writer());
    // A version that this one can live with, and one that it cannot.
    place.sql("INSERT INTO quittance.schema_version VALUES (2, 1)");
    let mut running = place.writer();
    place.sql("INSERT INTO quittance.schema_version VALUES (3, 3)");
    check(&place.url(), "schema version 3 needs a newer quittance; this one knows versions up to 1", "");
    let reader = PostgresDatabase::open_reader(&place.url(), &Options::default());
    assert!(matches!(reader, Err(StoreError::NewerSchema { found: 3, known: 1 })));
    // Who was there before learns it with its next connection.
    place.end_writers();
    let stopped = running.get_many(&BOOKS, &[book_key(0)]);
    assert!(matches!(stopped, Err(StoreError::NewerSchema { found: 3, known: 1 })), "{stopped:?}");
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    let Some(place) = Place::new("other encodings") else { return };
    let name = format!("{}_ascii", place.database);
    place.sql(&format!("CREATE DATABASE {name} ENCODING 'SQL_ASCII' TEMPLATE template0"));
    check(&place.server.url(&name), "it keeps text as SQL_ASCII", "ENCODING 'UTF8'");
}

#[test]
fn poolers_are_told_by_what_they_do_not_pass_on() {
    let Some(place) = Place::new("poolers") else { return };
    for manner in [Manner::IgnoresOptions, Manner::RefusesOptions] {
        let proxy = Proxy::with_manner(place.server, &place.database, manner);
        check(&proxy.url, "a connection pooler stands before it", "name the server itself");
    }
    // The options that an address has itself are kept.
    let url = format!("{}?options=-c%20work_mem%3D5MB", place.url());
    drop(PostgresDatabase::open_for_writing(&url, &Options::default()).unwrap());
}

#[test]
fn roles_that_may_not_are_told_what_they_lack() {
    let Some(place) = Place::new("roles without rights") else { return };
    let role = format!("clerk_of_{}", place.database);
    place.sql(&format!("CREATE ROLE {role} LOGIN"));
    let url = place.url().replace("postgres@", &format!("{role}@"));
    check(&url, "permission denied for database", "CREATE SCHEMA quittance AUTHORIZATION");
    // With a schema of its own it needs no more than that.
    place.sql(&format!("CREATE SCHEMA quittance AUTHORIZATION {role}"));
    let mut store = open(&url);
    found(&mut store, 0..1, 3);
    assert_eq!(money(&mut store), [3]);
}

#[test]
fn passwords_replicas_and_full_servers_are_told_apart() {
    let Some(server) = Postgres::start_with("quittance-postgres: servers that refuse", &["max_connections=12"]) else {
        return;
    };
    let url = server.url(&server.fresh_database());
    found(&mut open(&url), 0..1, 3);
    let replica = server.replica(&["hot_standby=on", "max_connections=12"]);
    let name = url.rsplit('/').next().unwrap().to_owned();
    check(&replica.url(&name), "it is a replica, which can only be read", "name the primary");
    server.sql(&name, "CHECKPOINT");
    let mut reader = PostgresDatabase::open_reader(&replica.url(&name), &Options::default()).unwrap();
    assert!(money(&mut reader).len() <= 1, "a replica is read as far as it has come");
    drop((reader, replica));

    server.sql(&name, "CREATE ROLE clerk LOGIN PASSWORD 'another'");
    let hba = "host all clerk all scram-sha-256\nhost all postgres all trust\n";
    let file = server.sql(&name, "SHOW hba_file");
    server.sql(&name, &format!("COPY (SELECT unnest(string_to_array(E'{}', E'\\n'))) TO '{file}'", hba.trim_end()));
    server.sql(&name, "SELECT pg_reload_conf()");
    let as_clerk = url.replace("postgres@", "clerk:hunter2@");
    // The server reads its rules anew in its own time.
    while PostgresDatabase::open_for_writing(&as_clerk, &Options::default()).map(drop).is_ok() {}
    check(&as_clerk, "password authentication failed for user \"clerk\"", "check user and password");

    server.sql(
        &name,
        "GRANT ALL ON SCHEMA quittance TO clerk; GRANT ALL ON ALL TABLES IN SCHEMA quittance TO clerk; \
        GRANT ALL ON ALL SEQUENCES IN SCHEMA quittance TO clerk",
    );
    let right = url.replace("postgres@", "clerk:another@");
    let mut open_ones = Vec::new();
    let full = loop {
        match PostgresDatabase::open_for_writing(&right, &Options::default()) {
            Ok(store) => open_ones.push(store),
            Err(error) => break error,
        }
    };
    let StoreError::Unsuitable { what, remedy, .. } = full else { panic!("{full}") };
    assert!(what.contains("connection slots") && remedy.contains("max_connections"), "{what} ({remedy})");
}
