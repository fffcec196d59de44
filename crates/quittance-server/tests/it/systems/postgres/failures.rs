//! Databases that cannot be reached, or are lost in the middle.

use super::{Database, refused, side, system, try_read};
use quittance_server::config::Secret;
use quittance_server::systems::postgres::Postgres;
use quittance_server::systems::{Blame, System, Wanted};
use quittance_surroundings::Postgres as Server;
use std::net::TcpListener;
use std::ops::ControlFlow;

/// Each look is an answered question, so only a broken promise takes long.
const LOOKS_MAX: u32 = 1000;

/// Rows that no buffer on the way holds.
const MANY: &str = "CREATE VIEW many AS SELECT n AS id, repeat('x', 1000) AS x FROM generate_series(1, 200000) AS n";

#[test]
fn a_connection_that_ends_in_the_middle_is_no_short_reading() {
    let Some(database) = Database::with("a lost connection to PostgreSQL", MANY) else { return };
    let mut system = database.system();
    let mut rows = 0;
    let read = system.read("many", &side(1, &["id", "x"]), &Wanted::All, &mut |_| {
        rows += 1;
        if rows == 1 {
            let ended = database.sql(&format!(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{}' AND application_name = 'quittance'",
                database.name
            ));
            assert_eq!(ended, "1");
        }
        ControlFlow::Continue(())
    });
    let error = read.unwrap_err();
    refused(&error, Blame::Outside, "was lost", "run it again");
    assert!((1..200_000).contains(&rows), "{rows}");
    let (all, reading) = try_read(&mut system, "many", &side(1, &["id"]), &Wanted::All).unwrap();
    assert_eq!((all.len(), reading.rows), (200_000, 200_000), "it is reached again");
}

#[test]
fn a_server_that_dies_in_the_middle_is_no_short_reading() {
    let Some(mut server) = Server::start("a killed PostgreSQL that is read") else { return };
    server.sql("postgres", MANY);
    let mut system = system(&server.url("postgres"));
    let mut rows = 0;
    let read = system.read("many", &side(1, &["id", "x"]), &Wanted::All, &mut |_| {
        rows += 1;
        if rows == 1 {
            server.kill();
        }
        ControlFlow::Continue(())
    });
    refused(&read.unwrap_err(), Blame::Outside, "was lost", "run it again");
    assert!(rows < 200_000);
    let error = try_read(&mut system, "many", &side(1, &["id"]), &Wanted::All).unwrap_err();
    refused(&error, Blame::Outside, "cannot be reached", "whether the server runs");
}

#[test]
fn what_the_reader_breaks_off_ends_without_an_error() {
    let Some(database) = Database::with("a reading of PostgreSQL that is broken off", MANY) else { return };
    let mut system = database.system();
    let mut rows = 0;
    let reading = system.read("many", &side(1, &["id"]), &Wanted::All, &mut |_| {
        rows += 1;
        if rows == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!((reading.unwrap().rows, rows), (3, 3));
    let sessions = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = '{}' AND application_name = 'quittance'",
        database.name
    );
    assert!((0..LOOKS_MAX).any(|_| database.sql(&sessions) == "0"), "it holds no snapshot any more");
    assert_eq!(try_read(&mut system, "many", &side(1, &["id"]), &Wanted::All).unwrap().0.len(), 200_000);
}

#[test]
fn a_statement_has_a_time() {
    let Some(database) = Database::with(
        "slow statements of PostgreSQL",
        "CREATE VIEW slow AS SELECT 1 AS id, pg_sleep(3600)::text AS rest",
    ) else {
        return;
    };
    let url = Secret::new(database.server.url(&database.name));
    let mut system = Postgres::new("app", &url, 60, 1).unwrap();
    let error = try_read(&mut system, "slow", &side(1, &["id", "rest"]), &Wanted::All).unwrap_err();
    refused(&error, Blame::Outside, "statement timeout", "statement_timeout_s");
}

#[test]
fn nobody_there_says_where() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut system = system(&format!("postgres://u:hunter2@127.0.0.1:{port}/d"));
    let error = system.describe("a").unwrap_err();
    refused(&error, Blame::Outside, &format!("127.0.0.1:{port}/d"), "check host, port and network");
    assert!(!format!("{error:?} {error}").contains("hunter2"));
}

#[test]
fn a_wrong_password_is_told_and_never_shown() {
    let Some(mut server) = Server::start("passwords of PostgreSQL") else { return };
    server.sql(
        "postgres",
        "SET password_encryption = 'scram-sha-256'; CREATE ROLE asker LOGIN PASSWORD 'correct-horse';
        DO $$ BEGIN EXECUTE format('COPY (SELECT unnest(ARRAY[''host all asker 127.0.0.1/32 scram-sha-256'', \
            ''host all postgres 127.0.0.1/32 trust''])) TO %L', current_setting('hba_file')); END $$; CREATE TABLE a (id int);
        GRANT SELECT ON a TO asker",
    );
    server.restart();
    let url = |login: &str, database: &str| server.url(database).replace("postgres@", &format!("{login}@"));
    assert!(system(&url("asker:correct-horse", "postgres")).describe("a").is_ok());
    for (login, database, what, remedy) in [
        ("asker:hunter2", "postgres", "password authentication failed", "check user and password"),
        ("nobody:hunter2", "postgres", "nobody", "pg_hba.conf"),
        ("asker", "postgres", "password", "check"),
        ("asker:correct-horse", "elsewhere", "\"elsewhere\" does not exist", "name of the database"),
    ] {
        let error = system(&url(login, database)).describe("a").unwrap_err();
        refused(&error, Blame::Outside, what, remedy);
        assert_eq!(error.is_unauthorised(), login.contains("hunter2"), "{error:?}");
        let said = format!("{error:?} {error} {}", error.remedy);
        assert!(!said.contains("hunter2") && !said.contains("correct-horse"), "{said}");
    }
}
