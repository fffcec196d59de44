//! The benchmarks of payments run from end to end at a tiny size. How fast is said by nobody here.

use crate::support::Home;
use quittance_surroundings::Postgres;
use serde_json::{Value, json};

/// Members of every measurement.
const MEMBERS: [&str; 12] = [
    "work",
    "store",
    "clients",
    "size",
    "seconds",
    "ops_per_s",
    "p50_ms",
    "p99_ms",
    "rss_bytes",
    "limit",
    "limit_ops_per_s",
    "ratio",
];

fn measured(words: &[&str]) -> Vec<Value> {
    let home = Home::new();
    let ended = home.run(&[&["bench"], words, &["--books", "50", "--json"]].concat());
    assert_eq!(ended.code, 0, "{ended:?}");
    let lines: Vec<Value> = ended.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    for line in &lines {
        let missing: Vec<_> = MEMBERS.iter().filter(|member| line[**member].is_null()).collect();
        assert!(missing.is_empty(), "{missing:?} is not in {line}");
    }
    lines
}

#[test]
fn batches_are_measured_beside_their_limit() {
    let lines = measured(&["batch", "--size", "2000"]);
    let [line] = lines.as_slice() else { panic!("one measurement, not {lines:?}") };
    assert_eq!([&line["work"], &line["store"], &line["limit"]], ["batch", "sqlite", "rows without logic"]);
    assert_eq!([&line["size"], &line["clients"]], [&json!(2000), &json!(1)]);
}

#[test]
fn batches_in_postgres_are_measured_beside_their_limit_and_beside_one_process() {
    let Some(postgres) = Postgres::shared("quittance bench batch --store postgres") else { return };
    let database = postgres.fresh_database();
    let url = postgres.url(&database);
    let place = ["batch", "--store", "postgres", "--database-url", &url];
    let lines = measured(&[&place[..], &["--size", "4000", "--connections", "2"]].concat());
    let [line] = lines.as_slice() else { panic!("one measurement, not {lines:?}") };
    assert_eq!([&line["store"], &line["limit"]], ["postgres", "rows without logic"]);
    assert_eq!([&line["size"], &line["clients"]], [&json!(4000), &json!(2)]);
    let lines = measured(&[&place[..], &["--size", "2000", "--processes", "2"]].concat());
    let [line] = lines.as_slice() else { panic!("one measurement, not {lines:?}") };
    assert_eq!([&line["limit"], &line["processes"]], [&json!("one process"), &json!(2)]);
}

#[test]
fn repairs_are_measured_beside_one_statement_by_hand() {
    let Some(postgres) = Postgres::shared("quittance bench repairs") else { return };
    let database = postgres.fresh_database();
    let url = postgres.url(&database);
    let words = ["bench", "repairs", "--database-url", &url, "--size", "1200", "--rounds", "1", "--json"];
    let ended = Home::new().run(&words);
    assert_eq!(ended.code, 0, "{ended:?}");
    let line: Value = ended.json();
    assert_eq!([&line["work"], &line["store"], &line["size"]], [&json!("repairs"), &json!("postgres"), &json!(1_200)]);
    assert!(line["ratio"].is_number() && line["rss_bytes"].is_number(), "{line}");
    let left = postgres.sql(&database, "SELECT count(*) FROM pg_class WHERE relname LIKE 'quittance_bench%'");
    assert_eq!(left, "0");
}

#[test]
fn idle_connections_have_their_memory_measured() {
    let home = Home::new();
    let ended = home.run(&["bench", "connections", "--clients", "300", "--json"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let line: Value = ended.json();
    assert_eq!([&line["work"], &line["clients"]], [&json!("connections"), &json!(300)]);
    let [before, after] = ["rss_before_bytes", "rss_bytes"].map(|member| line[member].as_u64().expect("bytes"));
    assert!(0 < before && before <= after, "{line}");
    // Each holds less than 20 KB; three times that is a leak.
    assert!(after - before < 300 * 60_000, "{line}");
}

#[test]
fn commands_are_measured_beside_both_limits() {
    let lines = measured(&["command", "--size", "100", "--clients", "1,4"]);
    let told: Vec<_> = lines.iter().map(|line| (&line["clients"], &line["size"], &line["limit"])).collect();
    let limits = [json!("rows without logic"), json!("one commit for each request")];
    let [one, four, ten, hundred] = [1, 4, 10, 100].map(|number| json!(number));
    let expected = [
        (&one, &ten, &limits[0]),
        (&one, &ten, &limits[1]),
        (&four, &hundred, &limits[0]),
        (&four, &hundred, &limits[1]),
    ];
    assert_eq!(told, expected);
    assert!(lines.iter().all(|line| line["work"] == "command" && line["store"] == "sqlite"));
}

#[test]
fn what_is_true_is_measured_beside_a_constant() {
    let ended = Home::new().run(&["bench", "truth", "--clients", "4", "--size", "50", "--json"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let line: Value = ended.json();
    assert_eq!([&line["work"], &line["limit"]], [&json!("truth"), &json!("a constant")]);
    assert_eq!([&line["misses_at_once"], &line["provider_calls"]], [&json!(1_000), &json!(1)]);
    assert!(line["ratio"].as_f64().is_some_and(|ratio| ratio > 0.0), "{line}");
}

#[test]
fn what_cannot_be_measured_is_said() {
    for (words, said) in [
        (&["batch", "--connections", "2"][..], "SQLite has one writer"),
        (&["batch", "--store", "postgres"], "--database-url"),
        (&["command", "--store", "postgres", "--database-url", "nowhere"], "the database cannot be reached"),
    ] {
        let ended = Home::new().run(&[&["bench"], words].concat());
        assert_ne!(ended.code, 0, "{words:?}");
        assert!(ended.stderr.contains(said), "{ended:?}");
    }
}

#[test]
fn what_no_webhook_tells_of_is_repaired_and_how_long_that_took_is_told() {
    let home = Home::new();
    let ended = home.run(&["bench", "heal", "--records", "120", "--size", "5", "--every", "1", "--json"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let line: Value = ended.json();
    assert_eq!([&line["work"], &line["size"], &line["schedule_ms"]], [&json!("heal"), &json!(5), &json!(1_000)]);
    let [min, max] = ["min_ms", "max_ms"].map(|member| line[member].as_u64().expect("milliseconds"));
    assert!(min <= max && line["p50_ms"].is_number() && line["p90_ms"].is_number(), "{line}");
    let ended = home.run(&["bench", "heal", "--records", "5", "--size", "5"]);
    assert!(ended.code != 0 && ended.stderr.contains("each change is one subscription's"), "{ended:?}");
}
