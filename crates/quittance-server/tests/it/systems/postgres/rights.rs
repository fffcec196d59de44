//! What a role may, and what nobody may: writing.

use super::{Database, integer, read, refused, side, text, try_read};
use quittance_server::systems::{Blame, System, Wanted};

#[test]
fn the_missing_grant_is_told() {
    let Some(database) = Database::with(
        "rights in PostgreSQL",
        "CREATE SCHEMA billing; CREATE TABLE billing.accounts (id int PRIMARY KEY, status text, secret text);
        INSERT INTO billing.accounts VALUES (1, 'active', 'x')",
    ) else {
        return;
    };
    let mut system = database.system_of_asker();
    let role = format!("asker_of_{}", database.name);
    let all = side(1, &["id", "status", "secret"]);
    let grant = format!("GRANT USAGE ON SCHEMA \"billing\" TO \"{role}\"");
    for name in ["billing.accounts", "accounts"] {
        let error = system.describe(name).unwrap_err();
        refused(&error, Blame::Configuration, "may not look into the schema `billing`", &grant);
    }
    database.sql(&grant);
    let error = system.describe("billing.accounts").unwrap_err();
    let needed = format!("GRANT SELECT ON \"billing\".\"accounts\" TO \"{role}\"");
    refused(&error, Blame::Configuration, "may not read `billing.accounts`", &needed);
    database.sql(&format!("GRANT SELECT (id, status) ON billing.accounts TO {role}"));
    system.refresh().unwrap();
    let error = try_read(&mut system, "billing.accounts", &all, &Wanted::All).unwrap_err();
    let grant = format!("GRANT SELECT (\"secret\") ON \"billing\".\"accounts\" TO \"{role}\"");
    refused(&error, Blame::Configuration, "may not read \"secret\"", &grant);
    let some = side(1, &["id", "status"]);
    assert_eq!(read(&mut system, "billing.accounts", &some, &Wanted::All), [[integer(1), text("active")]]);
    database.sql(&grant);
    let mut system = super::system(&database.server.url(&database.name).replace("postgres@", &format!("{role}@")));
    assert_eq!(read(&mut system, "billing.accounts", &all, &Wanted::All).len(), 1);
}

#[test]
fn a_view_needs_the_rights_of_what_is_in_it() {
    let Some(database) = Database::with(
        "rights of views in PostgreSQL",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; REVOKE EXECUTE ON FUNCTION f FROM PUBLIC;
        CREATE VIEW a AS SELECT f() AS id; GRANT SELECT ON a TO PUBLIC",
    ) else {
        return;
    };
    let error = try_read(&mut database.system_of_asker(), "a", &side(1, &["id"]), &Wanted::All).unwrap_err();
    refused(&error, Blame::Configuration, "permission denied for function f", "EXECUTE");
}

#[test]
fn rows_that_a_policy_hides_are_not_missing() {
    let Some(database) = Database::with(
        "row security of PostgreSQL",
        "CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1), (2); ALTER TABLE a ENABLE ROW LEVEL SECURITY;
        CREATE POLICY p ON a USING (id = 1); GRANT SELECT ON a TO PUBLIC;
        CREATE VIEW seen WITH (security_invoker) AS SELECT * FROM a; GRANT SELECT ON seen TO PUBLIC",
    ) else {
        return;
    };
    let mut system = database.system_of_asker();
    refused(&system.describe("a").unwrap_err(), Blame::Configuration, "a policy hides rows of `a`", "BYPASSRLS");
    let error = try_read(&mut system, "seen", &side(1, &["id"]), &Wanted::All).unwrap_err();
    refused(&error, Blame::Configuration, "row-level security", "BYPASSRLS");
    assert_eq!(read(&mut database.system(), "a", &side(1, &["id"]), &Wanted::All).len(), 2);
}

#[test]
fn nothing_is_written_not_even_by_what_is_read() {
    let Some(database) = Database::with(
        "a reader that writes in PostgreSQL",
        "CREATE TABLE log (id int); CREATE FUNCTION note() RETURNS int LANGUAGE sql VOLATILE AS 'INSERT INTO public.log VALUES (1) RETURNING 1';
        CREATE VIEW a AS SELECT note() AS id",
    ) else {
        return;
    };
    let error = try_read(&mut database.system(), "a", &side(1, &["id"]), &Wanted::All).unwrap_err();
    refused(&error, Blame::Outside, "read-only transaction", "log");
    assert_eq!(database.sql("SELECT count(*) FROM log"), "0");
}
