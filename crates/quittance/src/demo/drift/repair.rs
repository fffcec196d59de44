//! Owns: repairing what was found, as an operator would: the brake, the permission, the approval, and all of it taken back.
//! Does not own: what was to be found.

use super::program;
use super::report::told;
use super::script::Expected;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::path::Path;

/// What each step printed.
pub(super) struct Repaired {
    /// The first try, which the brake stops.
    stopped: Value,
    /// The second, which permits as many repairs as there are.
    applied: Value,
    /// What waited for a person, approved; nothing where nothing did.
    approved: Value,
    /// The comparison after it.
    after: Value,
    /// All of it taken back.
    undone: Value,
    /// The comparison after that.
    again: Value,
}

impl Repaired {
    /// Repairs, compares, takes back, compares.
    pub(super) async fn run(configuration: &Path, data: &str) -> Result<Self> {
        let run = async |words: &[&str], codes: &[i32]| {
            let words = [words, &["--json", "--data", data]].concat();
            program(configuration, &words, codes).await
        };
        let reconcile = ["reconcile", "subscriptions", "--apply", "--settle", "200ms"];
        let diff = ["diff", "subscriptions", "--settle", "200ms"];
        let stopped = run(&reconcile, &[4]).await?;
        let planned = stopped["planned"].to_string();
        let applied = run(&[&reconcile[..], &["--repairs-max", &planned]].concat(), &[1, 4]).await?;
        let id = applied["run_id"].as_str().context("a run of repairs has an id")?;
        let approved = match number(&applied, "awaiting_approval") {
            0 => Value::Null,
            _ => run(&["approve", id, "--apply", "--settle", "200ms"], &[0]).await?,
        };
        let after = run(&diff, &[0, 1]).await?;
        let undone = run(&["undo", id, "--apply"], &[0]).await?;
        let again = run(&diff, &[1]).await?;
        Ok(Self { stopped, applied, approved, after, undone, again })
    }

    /// Whether every record that differed was repaired, and all is as it was in the end.
    pub(super) fn is_good(&self, expected: &Expected) -> bool {
        let repaired = number(&self.applied, "repaired") + number(&self.approved, "repaired");
        let missing = |found: &Value| [number(found, "left_only"), number(found, "right_only")];
        !self.stopped["stopped"].is_null()
            && number(&self.stopped, "repaired") == 0
            && repaired == number(&self.stopped, "planned")
            && number(&self.after, "different") == 0
            && missing(&self.after) == missing(&self.again)
            && number(&self.undone, "repaired") == repaired
            && told(&self.again) == *expected
    }

    /// For programs.
    pub(super) fn document(&self) -> Value {
        json!({
            "stopped": self.stopped["stopped"],
            "repaired": self.applied["repaired"],
            "approved": self.approved["repaired"],
            "run_id": self.applied["run_id"],
            "different_after": self.after["different"],
            "undone": self.undone["repaired"],
            "different_again": self.again["different"],
        })
    }

    /// For people: a command and what it did.
    pub(super) fn lines(&self) -> Vec<(String, String)> {
        let planned = number(&self.stopped, "planned");
        let stopped = format!("the brake: {planned} repairs are more than it allows; nothing was written");
        let waiting = number(&self.applied, "awaiting_approval");
        let applied =
            format!("{} repaired, {waiting} cancelations wait for a person", number(&self.applied, "repaired"));
        let after = format!(
            "{} different; {} records are missing on one side, which is left to a person",
            number(&self.after, "different"),
            number(&self.after, "left_only") + number(&self.after, "right_only")
        );
        let mut lines = vec![
            ("reconcile subscriptions --apply".to_owned(), stopped),
            (format!("reconcile subscriptions --apply --repairs-max {planned}"), applied),
        ];
        if waiting > 0 {
            let approved = format!("{} repaired", number(&self.approved, "repaired"));
            lines.push(("approve RUN --apply".to_owned(), approved));
        }
        lines.push(("diff subscriptions".to_owned(), after));
        lines.push(("undo RUN --apply".to_owned(), format!("{} taken back", number(&self.undone, "repaired"))));
        let again = format!("{} different, each as before", number(&self.again, "different"));
        lines.push(("diff subscriptions".to_owned(), again));
        lines
    }
}

fn number(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap_or(0)
}
