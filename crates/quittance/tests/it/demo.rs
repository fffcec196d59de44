//! `quittance demo` as a user runs it: against a hostile gateway and a calm one, with what it promises to print.

use crate::support::{Ended, Home, bare, end};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

const NUMBERS: [&str; 12] = [
    "commands",
    "acknowledged",
    "succeeded",
    "failed",
    "replays",
    "duplicate_charges",
    "lost_commands",
    "unknown",
    "review",
    "unexplained_amount",
    "restarts",
    "seconds",
];

/// Runs a demonstration that has to keep every promise, and returns what it printed.
fn check(words: &[&str]) -> Value {
    let ended = demo(words);
    assert_eq!(ended.code, 0, "{}\n{}", ended.stdout, ended.stderr);
    let report = ended.json();
    for member in NUMBERS {
        assert!(report[member].is_number(), "{member} in {report:#}");
    }
    for member in ["duplicate_charges", "lost_commands", "unknown", "review", "unexplained_amount"] {
        assert_eq!(report[member], 0, "{member} in {report:#}");
    }
    assert_eq!((&report["books_balanced"], &report["gateway_matches"]), (&true.into(), &true.into()), "{report:#}");
    assert!(report["restarts"].as_u64() >= Some(3), "{report:#}");
    assert_eq!(report["commands"], report["acknowledged"], "{report:#}");
    // Every key is asked for once more in the end, and its answer is a stored one.
    assert!(report["replays"].as_u64() >= report["commands"].as_u64(), "{report:#}");
    report
}

fn demo(words: &[&str]) -> Ended {
    let home = Home::new();
    let mut command = bare(&["demo", "--json"], home.directory.path());
    // Where the demo puts its data; the directory goes with the test, whatever the demo leaves.
    end(command.args(words).env("TMPDIR", home.directory.path()))
}

fn count(report: &Value, kinds: &[&str]) -> u64 {
    kinds.iter().map(|kind| report["faults"][kind].as_u64().unwrap_or(0)).sum()
}

#[test]
fn a_hostile_gateway_charges_everything_once_and_a_seed_is_a_demonstration() {
    let words = ["--only", "charges", "--commands", "300", "--faults", "hostile", "--seed", "7"];
    let report = check(&words);
    assert_eq!(report["commands"], 300);
    assert!(count(&report, &["lost_answer", "timeout_after_effect", "error_500_charged"]) > 20, "{report:#}");
    assert!(count(&report, &["webhook_dropped", "webhook_shuffled"]) > 20, "{report:#}");
    assert!(count(&report, &["client_timeout"]) > 0 && count(&report, &["server_killed"]) >= 3, "{report:#}");
    let again = check(&words);
    for member in ["commands", "acknowledged", "succeeded", "failed", "restarts"] {
        assert_eq!(report[member], again[member], "{member}");
    }
}

#[test]
fn a_calm_gateway_has_no_faults_of_its_own() {
    let report = check(&["--only", "charges", "--commands", "120", "--faults", "none"]);
    let faults = report["faults"].as_object().expect("an object");
    let gateways: Vec<_> =
        faults.keys().filter(|kind| !kind.starts_with("client_") && *kind != "server_killed").collect();
    assert!(gateways.is_empty(), "{report:#}");
}

#[test]
fn every_difference_that_lost_webhooks_make_is_found_and_no_other() {
    let ended = demo(&["--only", "drift", "--seed", "3"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let report = &ended.json()["drift"];
    assert_eq!((&report["missed"], &report["invented"]), (&json!([]), &json!([])), "{report:#}");
    let found = &report["found"];
    let count = |name: &str| found[name].as_u64().expect("a number");
    assert!(count("different") > 200 && count("left_only") == 6 && count("right_only") == 9, "{found:#}");
    assert_eq!(count("equal") + count("different") + count("left_only"), count("left_records"));
    // One request for each page of a hundred, a few to find out where to divide, and those of the second look.
    assert!(count("right_requests") < 150, "{}", count("right_requests"));
}

#[test]
fn nothing_is_left_behind_unless_asked_for() {
    let home = Home::new();
    let run = |words: &[&str]| {
        let mut command =
            bare(&["demo", "--only", "charges", "--commands", "20", "--faults", "none"], home.directory.path());
        let ended = end(command.args(words).env("TMPDIR", home.directory.path()));
        assert_eq!(ended.code, 0, "{ended:?}");
        assert!(ended.stdout.contains("Every charge exactly once"), "{ended:?}");
        std::fs::read_dir(home.directory.path()).expect("readable").count()
    };
    assert_eq!(run(&[]), 0);
    assert_eq!(run(&["--keep"]), 1);
}

/// A signal in the middle of it: the server that was running is gone, and so is the data.
#[test]
fn an_interrupted_demonstration_leaves_no_process() {
    let home = Home::new();
    let mut command = bare(&["demo", "--only", "charges", "--commands", "3000"], home.directory.path());
    command.env("TMPDIR", home.directory.path()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut demo = command.spawn().expect("it starts");
    let mut lines = BufReader::new(demo.stderr.take().expect("piped")).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("kill -9 after")), "it ended before its time");
    assert_eq!(servers_in(&home), 1);
    let killed = Command::new("kill").args(["-TERM", &demo.id().to_string()]).status().expect("kill runs");
    assert!(killed.success());
    assert!(lines.any(|line| line.contains("interrupted")), "it does not say so");
    assert_eq!(demo.wait().expect("it ends").code(), Some(130));
    assert_eq!(servers_in(&home), 0);
    assert_eq!(std::fs::read_dir(home.directory.path()).expect("readable").count(), 0);
}

/// Processes whose command line names the directory as data of a server.
fn servers_in(home: &Home) -> usize {
    let place = home.directory.path().display().to_string();
    let processes = std::fs::read_dir("/proc").expect("a list of processes").filter_map(Result::ok);
    let lines = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    lines.map(|line| String::from_utf8_lossy(&line).into_owned()).filter(|line| line.contains(&place)).count()
}
