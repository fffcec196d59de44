//! `quittance diff` by checksums where a database orders, names or finds things otherwise than one would think: the verdict
//! is that of every row read.

use crate::diff_peers::{diff, home, keys};
use quittance_surroundings::Postgres;
use serde_json::json;

const RECORDS: &str =
    "SELECT (array['a','B','c','D','_','Z','z'])[1 + i % 7] || i, i::text FROM generate_series(1, 2000) AS i";

/// Makes `theirs` of `ours`, changes a few rows, and compares both by both strategies.
fn check(subject: &str, options: &str, ours: &str, rows: &str) {
    let Some(postgres) = Postgres::shared(subject) else { return };
    let database = postgres.fresh_database();
    if !options.is_empty() {
        postgres.sql("postgres", &format!("DROP DATABASE {database}"));
        postgres.sql("postgres", &format!("CREATE DATABASE {database} TEMPLATE template0 {options}"));
    }
    let table = if subject.contains("alias") { "quittance_range" } else { "things" };
    let [one, other] = ["one", "other"].map(|schema| ours.replace("NAME", &format!("{schema}.{table}")));
    let statements = format!(
        "CREATE SCHEMA one; CREATE SCHEMA other; {one}; {other};
         INSERT INTO one.{table} (id, v) {rows}; INSERT INTO other.{table} (id, v) SELECT id, v FROM one.{table};
         UPDATE other.{table} SET v = 'changed' WHERE v IN ('102', '104', '1999'); ANALYZE"
    );
    postgres.sql(&database, &statements);
    let pair = |strategy: &str| {
        format!(
            "left = {{ system = \"app\", table = \"one.{table}\" }}\n\
             right = {{ system = \"app\", table = \"other.{table}\" }}\n\
             match = [ {{ left = \"id\", right = \"id\" }} ]\nstrategy = \"{strategy}\"\n\
             fields = [ {{ left = \"v\", right = \"v\" }} ]\n"
        )
    };
    let url = postgres.url(&database);
    let [sums, all] = ["checksums", "keys"].map(|strategy| diff(&home(&url, "", &pair(strategy))));
    assert_eq!((keys(&all).len(), &all["equal"]), (3, &json!(1_997)), "{subject}: {all:#}");
    assert_eq!((keys(&sums), &sums["equal"]), (keys(&all), &json!(1_997)), "{subject}: {sums:#}");
    assert!(sums["proof"]["method"].as_str().is_some_and(|method| method.contains("pg-hash")), "{:#}", sums["proof"]);
    assert_eq!((&sums["left_records"], &sums["right_records"]), (&json!(2_000), &json!(2_000)));
    assert_eq!(sums["lag"], json!(null), "nobody saw the times of what was summed up");
}

#[test]
fn a_database_that_orders_texts_by_a_language() {
    check(
        "quittance diff of an ICU database",
        "ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LC_COLLATE 'C' LC_CTYPE 'C'",
        "CREATE TABLE NAME (id text PRIMARY KEY, v text)",
        RECORDS,
    );
}

#[test]
fn a_column_that_is_ordered_by_a_language() {
    check(
        "quittance diff of an ICU column",
        "",
        "CREATE TABLE NAME (id text COLLATE \"en-x-icu\" PRIMARY KEY, v text)",
        RECORDS,
    );
}

#[test]
fn an_index_that_is_ordered_otherwise_than_its_column() {
    let long = RECORDS.replacen("(array", "repeat('q', 70) || (array", 1);
    check(
        "quittance diff by an index of another collation",
        "",
        "CREATE TABLE NAME (id text COLLATE \"en-x-icu\" NOT NULL, v text);
         CREATE UNIQUE INDEX ON NAME (id COLLATE \"default\")",
        &long,
    );
}

#[test]
fn a_table_that_is_named_as_an_alias() {
    check(
        "quittance diff of an alias",
        "",
        "CREATE TABLE NAME (id int PRIMARY KEY, v text, f int DEFAULT 0, t int DEFAULT 0, b int DEFAULT 0, \
         m int DEFAULT 65535)",
        "SELECT i, i::text FROM generate_series(1, 2000) AS i",
    );
}

#[test]
fn keys_that_have_no_whole_character_where_they_are_cut_short() {
    check(
        "quittance diff of long texts",
        "",
        "CREATE TABLE NAME (id text PRIMARY KEY, v text)",
        "SELECT repeat('p', 58) || CASE WHEN i % 3 > 0 THEN chr(97 + i / 26 % 26) || chr(97 + i % 26) || i \
         ELSE '日本語' || i END, i::text FROM generate_series(1, 2000) AS i",
    );
}

#[test]
fn functions_that_somebody_else_made_are_not_called() {
    let Some(postgres) = Postgres::shared("quittance diff beside foreign functions") else { return };
    let database = postgres.fresh_database();
    postgres.sql(
        &database,
        "CREATE SCHEMA app; CREATE TABLE app.t (id int PRIMARY KEY, v varchar(9));
         INSERT INTO app.t SELECT i, i FROM generate_series(1, 2000) AS i; ANALYZE;
         CREATE FUNCTION public.width_bucket(k float8, b float8[]) RETURNS int LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'somebody else as %', current_user; END $$;
         CREATE FUNCTION public.evil(varchar, text) RETURNS bool LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'somebody else as %', current_user; END $$;
         CREATE OPERATOR public.= (LEFTARG = varchar, RIGHTARG = text, FUNCTION = public.evil);",
    );
    postgres.sql(&database, &format!("ALTER DATABASE {database} SET search_path = app, public"));
    for strategy in ["checksums", "keys"] {
        let pair = format!(
            "left = {{ system = \"app\", table = \"t\" }}\nright = {{ system = \"app\", table = \"t\" }}\n\
             match = [ {{ left = \"id\", right = \"id\" }} ]\nstrategy = \"{strategy}\"\n\
             fields = [ {{ left = \"v\", right = \"v\" }} ]\n"
        );
        let found = diff(&home(&postgres.url(&database), "", &pair));
        assert_eq!(found["equal"], json!(2_000), "{found:#}");
    }
}
