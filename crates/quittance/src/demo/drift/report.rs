//! Owns: what the demonstration of drift prints, and whether what was found is what was done. Does not own: any number in
//! it.

use super::LOST_HOURS;
use super::repair::Repaired;
use super::script::{Expected, Script};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Differences that are shown to people.
const SHOWN: usize = 10;

/// What was found, beside what was done.
pub(crate) struct Report {
    seed: u64,
    alarm: Value,
    found: Value,
    repaired: Repaired,
    is_repaired: bool,
    took: Duration,
    missed: Vec<(String, String, String)>,
    invented: Vec<(String, String, String)>,
    configuration: PathBuf,
}

impl Report {
    /// Compares what was found with the script.
    pub(super) fn new(
        seed: u64,
        script: &Script,
        (alarm, found, repaired): (Value, Value, Repaired),
        took: Duration,
        configuration: PathBuf,
    ) -> Self {
        let expected = script.expected();
        let told = told(&found);
        let missed = expected.difference(&told).cloned().collect();
        let invented = told.difference(&expected).cloned().collect();
        debug_assert_eq!(seed, script.seed(), "a report is about its own script");
        let is_repaired = repaired.is_good(&expected);
        Self { seed, alarm, found, repaired, is_repaired, took, missed, invented, configuration }
    }

    /// Whether the service alarmed each change, by comparing alone.
    fn is_alarmed(&self) -> bool {
        let count = |name: &str| self.found[name].as_u64().unwrap_or(0);
        let changes = count("different") + count("left_only") + count("right_only");
        self.alarm["subject"] == "subscriptions" && self.alarm["count"] == changes && self.alarm["since"].is_string()
    }

    /// Whether everything was found, and nothing else, every record was looked at, and all of it was repaired and taken back.
    pub(crate) fn is_good(&self) -> bool {
        let count = |name: &str| self.found[name].as_u64().unwrap_or(0);
        let matched = count("equal") + count("different");
        let is_whole = matched + count("left_only") == count("left_records")
            && matched + count("right_only") == count("right_records");
        self.missed.is_empty()
            && self.invented.is_empty()
            && is_whole
            && self.is_repaired
            && self.is_alarmed()
            && count("suspect") + count("ambiguous") == 0
    }

    /// For programs.
    pub(crate) fn document(&self) -> Value {
        json!({
            "seed": self.seed,
            "hours_without_webhooks": LOST_HOURS,
            "alarm": self.alarm,
            "found": self.found,
            "missed": self.missed,
            "invented": self.invented,
            "repairs": self.repaired.document(),
            "repaired_and_undone": self.is_repaired,
            "seconds": self.took.as_secs_f64(),
            "ok": self.is_good(),
        })
    }

    /// For people.
    pub(crate) fn text(&self, kept: Option<&Path>) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(&mut text, kept);
        text
    }

    fn write_alarm(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "An application's table says who has a subscription, and learns it by webhooks.")?;
        writeln!(
            out,
            "For {LOST_HOURS} hours none came. `quittance serve` compares by schedule, hears no event, and alarms:\n"
        )?;
        let (subject, since) = (word(&self.alarm["subject"]), word(&self.alarm["since"]));
        let (severity, kind, what) =
            (word(&self.alarm["severity"]), word(&self.alarm["kind"]), word(&self.alarm["what"]));
        writeln!(out, "  {severity} · {kind} · {subject}: {} changes since {since}", self.alarm["count"])?;
        writeln!(out, "  {what}\n")?;
        writeln!(out, "`quittance diff subscriptions` compares the table with the gateway:\n")
    }

    fn write(&self, out: &mut String, kept: Option<&Path>) -> std::fmt::Result {
        let count = |name: &str| self.found[name].as_u64().unwrap_or(0);
        writeln!(out, "Quittance demo · drift · seed {}\n", self.seed)?;
        self.write_alarm(out)?;
        let lines = self.found["differences"].as_array().map_or(&[][..], Vec::as_slice);
        let row = |cells: [&str; 5]| {
            format!("  {:<14} {:<11} {:<20} {:<14} {}", cells[0], cells[1], cells[2], cells[3], cells[4])
        };
        writeln!(out, "{}", row(["key", "kind", "field", "your database", "the gateway"]).trim_end())?;
        let mut kinds = BTreeMap::<&str, usize>::new();
        for line in lines {
            let seen = kinds.entry(word(&line["kind"])).or_default();
            *seen += 1;
            if *seen <= SHOWN / 2 {
                let (left, right) = (value(&line["left"]), value(&line["right"]));
                let cells = [word(&line["key"]), word(&line["kind"]), word(&line["field"]), &left, &right];
                writeln!(out, "{}", row(cells).trim_end())?;
            }
        }
        writeln!(out, "  … {} in all\n", lines.len())?;
        for (name, what) in [
            ("equal", "say the same"),
            ("different", "say something else"),
            ("left_only", "are in your database alone"),
            ("right_only", "are at the gateway alone"),
            ("suspect", "moved while they were read"),
        ] {
            writeln!(out, "  {:>6} {what}", count(name))?;
        }
        writeln!(out, "\n  {}", word(&self.found["proof"]["statement"]))?;
        let seconds = self.took.as_secs_f64();
        let requests = count("right_requests");
        writeln!(
            out,
            "  {} and {} records in {seconds:.1} s, {requests} requests to the gateway; nothing was written",
            count("left_records"),
            count("right_records")
        )?;
        writeln!(out, "\nThen your table is repaired, compared, and given back what it had:\n")?;
        for (command, outcome) in self.repaired.lines() {
            writeln!(out, "  quittance {command}\n      {outcome}")?;
        }
        if self.is_good() {
            writeln!(
                out,
                "\nEvery difference that was made was found, and no other; each was repaired, and each repair taken back."
            )?;
        } else {
            writeln!(out, "\nPromises were broken: {} missed, {} invented", self.missed.len(), self.invented.len())?;
            if !self.is_alarmed() {
                writeln!(out, "  - the service did not alarm each change, with the pair and since when")?;
            }
            if !self.is_repaired {
                writeln!(out, "  - the repairs are not what was found, or were not taken back")?;
            }
            for (kind, key, field) in self.missed.iter().chain(&self.invented).take(20) {
                writeln!(out, "  - {kind} {key} {field}")?;
            }
        }
        match kept {
            Some(folder) => {
                let file = self.configuration.file_name().map(Path::new).unwrap_or(&self.configuration);
                writeln!(out, "Look further: the table and {} are in {}", file.display(), folder.display())
            }
            None => {
                writeln!(out, "On your own data: `quittance init`, then `quittance diff`, then `quittance reconcile`.")
            }
        }
    }
}

/// Kinds, keys and fields of what was found.
pub(super) fn told(found: &Value) -> Expected {
    let lines = found["differences"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    lines.map(|line| (text(&line["kind"]), text(&line["key"]), text(&line["field"]))).collect()
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn value(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Object(map) => map.get("subscription_status").map_or_else(|| "there".to_owned(), self::value),
        other => other.to_string(),
    }
}
