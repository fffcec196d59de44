//! Tables and columns by their names, whatever characters these have.

use super::{Database, integer, read, refused, side, text, try_read};
use quittance_core::record::value::Type;
use quittance_server::systems::{Blame, System, Wanted};

#[test]
fn names_of_any_characters_are_found() {
    let Some(database) = Database::with(
        "names in PostgreSQL",
        r#"CREATE SCHEMA "we""ird.sch"; CREATE SCHEMA billing;
        CREATE TABLE "we""ird.sch"."Ta.b le""x" ("Col""umn" int PRIMARY KEY, "select" text, "naïve; --'" text, "/slash" text);
        INSERT INTO "we""ird.sch"."Ta.b le""x" VALUES (1, 'a', 'b', 'c');
        CREATE TABLE "a.b" AS SELECT 1 AS one; CREATE TABLE "UPPER" AS SELECT 2 AS two;
        CREATE TABLE billing.accounts AS SELECT 3 AS three; CREATE TABLE plain AS SELECT 4 AS four;
        CREATE VIEW seen AS SELECT four AS five FROM plain;
        CREATE MATERIALIZED VIEW kept AS SELECT 6 AS six; CREATE TABLE parts (seven int) PARTITION BY LIST (seven);
        CREATE TABLE part PARTITION OF parts DEFAULT; INSERT INTO parts VALUES (7);"#,
    ) else {
        return;
    };
    let mut system = database.system();
    let strange = side(1, &["Col\"umn", "select", "naïve; --'", "/slash"]);
    let name = r#""we""ird.sch"."Ta.b le""x""#;
    let expected = [[integer(1), text("a"), text("b"), text("c")]];
    assert_eq!(read(&mut system, name, &strange, &Wanted::All), expected);
    assert_eq!(system.describe(name).unwrap().identity, ["Col\"umn"]);
    for (name, column, value) in [
        ("a.b", "one", 1),
        ("\"a.b\"", "one", 1),
        ("public.a.b", "one", 1),
        ("public.\"a.b\"", "one", 1),
        ("UPPER", "two", 2),
        ("\"UPPER\"", "two", 2),
        ("billing.accounts", "three", 3),
        ("\"billing\".accounts", "three", 3),
        ("plain", "four", 4),
        ("seen", "five", 4),
        ("kept", "six", 6),
        ("parts", "seven", 7),
    ] {
        assert_eq!(system.describe(name).unwrap().columns, [(column.to_owned(), Some(Type::Number))], "{name}");
        assert_eq!(read(&mut system, name, &side(1, &[column]), &Wanted::All), [[integer(value)]], "{name}");
    }
    // Each is listed under a name by which it is found.
    let listed = system.objects().unwrap();
    for name in ["a.b", "UPPER", "plain", "seen", "kept", "parts", "billing.accounts"] {
        assert!(listed.iter().any(|known| known == name), "{name} is not in {listed:?}");
    }
}

#[test]
fn what_is_missing_is_named_with_what_was_meant() {
    let Some(database) = Database::with(
        "missing tables of PostgreSQL",
        "CREATE TABLE customer_accounts (stripe_customer_id text, subscription_status text); \
         CREATE SCHEMA billing; CREATE TABLE billing.refunds (id int); CREATE TABLE invoices (id int)",
    ) else {
        return;
    };
    let mut system = database.system();
    for (name, remedy) in [
        ("customer_acounts", "did you mean `customer_accounts`?"),
        ("refunds", "did you mean `billing.refunds`?"),
        ("Invoices", "did you mean `invoices`?"),
        ("something_else", "known are customer_accounts, invoices, billing.refunds"),
        ("'; DROP TABLE invoices; --", "known are customer_accounts"),
    ] {
        let error = system.describe(name).unwrap_err();
        refused(&error, Blame::Configuration, &format!("there is no table or view `{name}`"), remedy);
    }
    let mut missing = |column| {
        try_read(&mut system, "customer_accounts", &side(1, &["stripe_customer_id", column]), &Wanted::All).unwrap_err()
    };
    let error = missing("nothing_like_it");
    refused(&error, Blame::Configuration, "no column `nothing_like_it`", "stripe_customer_id, subscription_status");
    let error = missing("subscription_statu");
    refused(&error, Blame::Configuration, "`customer_accounts`", "did you mean `subscription_status`?");
}

#[test]
fn what_tells_rows_apart_is_the_primary_key_or_a_unique_index_without_null() {
    let Some(database) = Database::with(
        "identities in PostgreSQL",
        "CREATE TABLE a (x int, y int, z int, PRIMARY KEY (y, x)); CREATE UNIQUE INDEX ON a (z);
        CREATE TABLE b (x int, y int NOT NULL, z int NOT NULL);
        CREATE UNIQUE INDEX ON b (x); CREATE UNIQUE INDEX ON b (y) WHERE z = 1; CREATE UNIQUE INDEX ON b (y, abs(z));
        CREATE INDEX ON b (y); CREATE UNIQUE INDEX ON b (z) INCLUDE (x); CREATE UNIQUE INDEX ON b (y, z);
        CREATE TABLE c (gone int, x int PRIMARY KEY); ALTER TABLE c DROP COLUMN gone; CREATE VIEW d AS SELECT * FROM a;",
    ) else {
        return;
    };
    let mut system = database.system();
    for (name, identity) in [("a", &["y", "x"][..]), ("b", &["z"]), ("c", &["x"]), ("d", &[])] {
        assert_eq!(system.describe(name).unwrap().identity, identity, "{name}");
    }
}
