//! What Prometheus alarms of and Grafana shows, held against what the program tells and what the runbook says.

use quittance_surroundings::Peer;
use saphyr::{LoadableYamlNode, Yaml};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

const RULES: &str = "ops/prometheus/rules.yml";
const TESTS: &str = "ops/prometheus/rules.test.yml";

/// Labels that Prometheus itself adds, and that of a histogram's buckets.
const ADDED: [&str; 3] = ["job", "instance", "le"];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn document(text: &str) -> Yaml<'_> {
    let mut documents = Yaml::load_from_str(text).expect("YAML");
    assert_eq!(documents.len(), 1);
    documents.remove(0)
}

fn text<'a>(yaml: &'a Yaml<'_>, key: &str) -> Option<&'a str> {
    yaml.as_mapping_get(key).and_then(Yaml::as_str)
}

fn list<'a, 'b>(yaml: &'a Yaml<'b>, key: &str) -> &'a [Yaml<'b>] {
    yaml.as_mapping_get(key).and_then(Yaml::as_vec).map_or(&[], |list| list)
}

/// Every rule, of every group.
fn rules<'a, 'b>(document: &'a Yaml<'b>) -> Vec<&'a Yaml<'b>> {
    list(document, "groups").iter().flat_map(|group| list(group, "rules")).collect()
}

/// Every expression of the dashboard, with the title of its panel.
fn shown() -> Vec<(String, String)> {
    let dashboard: Value = serde_json::from_str(&read("ops/grafana/quittance.json")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let of = |panel: &Value| -> Vec<(String, String)> {
        let targets = panel["targets"].as_array().into_iter().flatten();
        let title = panel["title"].as_str().expect("a title");
        targets.map(|target| (title.to_owned(), target["expr"].as_str().expect("an expression").to_owned())).collect()
    };
    panels.iter().flat_map(of).collect()
}

/// What the program tells: whether it only grows, and the labels. A histogram is told in three parts.
fn told() -> BTreeMap<String, (bool, BTreeSet<String>)> {
    let page = read("docs/metrics.md");
    let rows = page.lines().filter(|line| line.starts_with("| `quittance_"));
    let row = |line: &str| -> Vec<(String, (bool, BTreeSet<String>))> {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let labels = cells[3].split(',').map(str::trim).filter(|label| !label.is_empty()).map(str::to_owned);
        let told = (cells[2] != "gauge", labels.collect());
        let parts: &[&str] = if cells[2] == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
        parts.iter().map(|part| (format!("{}{part}", cells[1].trim_matches('`')), told.clone())).collect()
    };
    rows.flat_map(row).collect()
}

/// The places at which names of ours stand in an expression.
fn names(expression: &str) -> Vec<(usize, &str)> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || "_:".contains(letter);
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = expression[at..].find(is_part).map(|start| at + start) {
        let end = expression[start..].find(|letter| !is_part(letter)).map_or(expression.len(), |length| start + length);
        if expression[start..end].contains("quittance_") {
            found.push((start, &expression[start..end]));
        }
        at = end;
    }
    found
}

/// The labels that stand in braces right behind a name.
fn matched(behind: &str) -> Vec<&str> {
    let Some(inside) = behind.strip_prefix('{').and_then(|rest| rest.split('}').next()) else { return Vec::new() };
    // Values are texts in quotes: every second part.
    let outside = inside.split('"').step_by(2);
    outside.map(|part| part.trim_matches([',', ' ', '=', '!', '~'])).filter(|label| !label.is_empty()).collect()
}

/// The labels of every `by (…)` and `on (…)`.
fn grouped(expression: &str) -> Vec<&str> {
    let clauses = [" by (", " on ("].into_iter().flat_map(|word| expression.split(word).skip(1));
    clauses.flat_map(|rest| rest.split(')').next().unwrap_or_default().split(',').map(str::trim)).collect()
}

/// What is wrong with the names of an expression.
fn complaints(
    expression: &str,
    told: &BTreeMap<String, (bool, BTreeSet<String>)>,
    recorded: &BTreeSet<&str>,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let known: BTreeSet<&str> =
        told.values().flat_map(|(_, labels)| labels.iter().map(String::as_str)).chain(ADDED).collect();
    wrong.extend(
        grouped(expression).into_iter().filter(|label| !known.contains(label)).map(|label| format!("by {label}")),
    );
    for (at, name) in names(expression) {
        if name.contains(':') {
            wrong.extend((!recorded.contains(name)).then(|| format!("{name} is not recorded")));
            continue;
        }
        let Some((grows, labels)) = told.get(name) else {
            wrong.push(format!("{name} is not told"));
            continue;
        };
        let spans = ["rate(", "increase(", "resets("].iter().any(|function| expression[..at].ends_with(function));
        wrong.extend((spans && !grows).then(|| format!("{name} is a gauge")));
        let is_there = |label: &str| labels.contains(label) || ADDED.contains(&label);
        let foreign = matched(&expression[at + name.len()..]).into_iter().filter(|label| !is_there(label));
        wrong.extend(foreign.map(|label| format!("{name} has no label {label}")));
    }
    wrong
}

#[test]
fn whatever_is_computed_and_shown_is_told_by_the_program() {
    let (source, told) = (read(RULES), told());
    let document = document(&source);
    let rules = rules(&document);
    let recorded: BTreeSet<&str> = rules.iter().filter_map(|rule| text(rule, "record")).collect();
    assert!(rules.len() > 40 && recorded.len() > 10 && told.len() > 30);
    for rule in rules {
        let expression = text(rule, "expr").expect("an expression");
        assert_eq!(complaints(expression, &told, &recorded), [""; 0], "{expression}");
    }
    // The dashboard works where these rules are not loaded.
    for (title, expression) in shown() {
        assert_eq!(complaints(&expression, &told, &BTreeSet::new()), [""; 0], "{title}: {expression}");
    }
    let wrong =
        "sum by (shop) (rate(quittance_paused{gateway=\"a\", tenant!=\"b\"}[5m])) / quittance_gone + a:quittance_b:c";
    let found = complaints(wrong, &told, &recorded);
    let expected = ["by shop", "quittance_paused is a gauge", "quittance_paused has no label tenant"];
    assert_eq!(found[..3], expected, "it can find something");
    assert_eq!(found[3..], ["quittance_gone is not told", "a:quittance_b:c is not recorded"]);
}

#[test]
fn whatever_the_program_tells_is_shown() {
    let shown = shown();
    let shown: BTreeSet<&str> =
        shown.iter().flat_map(|(_, expression)| names(expression)).map(|(_, name)| name).collect();
    let told = told();
    // Of a histogram the buckets are shown.
    let told = told.keys().filter(|name| !name.ends_with("_seconds_sum") && !name.ends_with("_seconds_count"));
    let forgotten: Vec<&String> = told.filter(|name| !shown.contains(name.as_str())).collect();
    assert!(forgotten.is_empty(), "no panel shows {forgotten:?}");
}

#[test]
fn panels_have_units_and_say_what_they_are() {
    let dashboard: Value = serde_json::from_str(&read("ops/grafana/quittance.json")).expect("JSON");
    let variables = dashboard["templating"]["list"].as_array().expect("variables");
    let variables: Vec<&str> = variables.iter().filter_map(|variable| variable["name"].as_str()).collect();
    assert_eq!(variables, ["datasource", "job", "instance"]);
    let panels = dashboard["panels"].as_array().expect("panels");
    let ids: BTreeSet<i64> = panels.iter().filter_map(|panel| panel["id"].as_i64()).collect();
    assert_eq!(ids.len(), panels.len(), "each has an id of its own");
    let places: BTreeSet<String> = panels.iter().map(|panel| panel["gridPos"].to_string()).collect();
    assert_eq!(places.len(), panels.len(), "each has a place of its own");
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        let title = &panel["title"];
        assert!(panel["description"].as_str().is_some_and(|text| text.len() > 20), "{title}");
        assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{title}");
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{title}");
        let grid = &panel["gridPos"];
        assert!(grid["x"].as_i64().zip(grid["w"].as_i64()).is_some_and(|(x, width)| x + width <= 24), "{title}");
    }
}

/// The places within a page that can be linked to: its headings, as they are made into addresses.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = page
        .lines()
        .filter_map(|line| line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#')));
    let anchor = |heading: &str| -> String {
        let lower = heading.to_lowercase();
        let kept = lower.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
        kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_alert_says_what_to_do_and_is_tested_both_ways() {
    let (source, tests) = (read(RULES), read(TESTS));
    let (source, tests) = (document(&source), document(&tests));
    let anchors = anchors(&read("docs/RUNBOOK.md"));
    let mut tried: BTreeMap<&str, BTreeSet<bool>> = BTreeMap::new();
    for test in list(&tests, "tests").iter().flat_map(|test| list(test, "alert_rule_test")) {
        let name = text(test, "alertname").expect("a name");
        tried.entry(name).or_default().insert(!list(test, "exp_alerts").is_empty());
    }
    let rules = rules(&source);
    let alerts: Vec<_> = rules.iter().filter_map(|rule| Some((text(rule, "alert")?, rule))).collect();
    for (name, alert) in &alerts {
        let annotations = alert.as_mapping_get("annotations").expect("annotations");
        assert!(["summary", "description"].iter().all(|key| text(annotations, key).is_some()), "{name}");
        let link = text(annotations, "runbook_url").expect("a link").split_once('#').expect("a section");
        assert_eq!(link.0, "docs/RUNBOOK.md", "{name}");
        assert!(anchors.contains(link.1), "{name}: the runbook has no section {}", link.1);
        let severity = alert.as_mapping_get("labels").and_then(|labels| text(labels, "severity")).expect("a severity");
        let is_known = ["critical", "warning", "info"].contains(&severity) || severity.starts_with("{{ if ");
        assert!(is_known, "{name}: {severity}");
        assert_eq!(tried.remove(name), Some(BTreeSet::from([false, true])), "{name} is not tested both ways");
    }
    assert!(tried.is_empty(), "tests of no alert: {tried:?}");
    let names: BTreeSet<&str> = alerts.iter().map(|(name, _)| *name).collect();
    assert_eq!(names.len(), alerts.len(), "each has a name of its own");
}

#[test]
fn promtool_finds_nothing_wrong_with_the_rules() {
    let Some(promtool) = Peer::Promtool.find("rules as Prometheus takes them") else { return };
    let run = |words: &[&str], folder: &Path| {
        let output = Command::new(&promtool).args(words).current_dir(folder).output().expect("promtool starts");
        (
            output.status.success(),
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)),
        )
    };
    let folder = repository().join("ops/prometheus");
    for words in [["check", "rules", "rules.yml"], ["test", "rules", "rules.test.yml"]] {
        let (is_good, said) = run(&words, &folder);
        assert!(is_good, "{said}");
    }
    let scratch = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(scratch.path().join(name), text).expect("it can be written");
    // Expressions of the dashboard, as rules.
    let expressions =
        shown().into_iter().map(|(_, expression)| expression.replace("$job", "j").replace("$instance", "i"));
    let rule =
        |(number, expression): (usize, String)| serde_json::json!({"record": format!("r{number}"), "expr": expression});
    let rules: Vec<Value> = expressions.enumerate().map(rule).collect();
    assert!(rules.len() > 30);
    write("shown.yml", &serde_json::json!({"groups": [{"name": "shown", "rules": rules}]}).to_string());
    let (is_good, said) = run(&["check", "rules", "shown.yml"], scratch.path());
    assert!(is_good, "{said}");
    // Another threshold is noticed.
    let other = read(RULES).replace("unknown_age_seconds:max > 900", "unknown_age_seconds:max > 9000");
    assert_ne!(other, read(RULES));
    write("rules.yml", &other);
    let tests = read(TESTS);
    let second = tests.match_indices("\n  - name: ").nth(1).expect("several tests").0;
    write("rules.test.yml", &tests[..second]);
    assert!(!run(&["test", "rules", "rules.test.yml"], scratch.path()).0, "it can find something");
}
