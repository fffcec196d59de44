//! Runs the steps of a task, all of them whatever fails, and sums them up at the end.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// The steps of one task and how they ended.
pub(crate) struct Steps {
    task: &'static str,
    ended: Vec<Ended>,
}

struct Ended {
    name: &'static str,
    took: Duration,
    failure: Option<String>,
}

impl Steps {
    pub(crate) fn new(task: &'static str) -> Self {
        Self { task, ended: Vec::new() }
    }

    /// Announces a step, runs it, and remembers how it ended. A failure does not stop the task.
    #[expect(clippy::disallowed_methods, reason = "durations of steps are for people, and decide nothing")]
    pub(crate) fn run(&mut self, name: &'static str, step: impl FnOnce() -> Result<()>) {
        println!("==> {}: {name}", self.task);
        let start = Instant::now();
        let failure = step().err().map(|error| format!("{error:#}"));
        if let Some(failure) = &failure {
            println!("{name}: {failure}");
        }
        self.ended.push(Ended { name, took: start.elapsed(), failure });
    }

    /// Prints one line for each step; an error when any of them failed.
    pub(crate) fn finish(self) -> Result<()> {
        println!("==> {}: summary", self.task);
        print!("{}", self.summary());
        let failed: Vec<&str> = self.ended.iter().filter(|step| step.failure.is_some()).map(|step| step.name).collect();
        if failed.is_empty() {
            return Ok(());
        }
        bail!("{} failed in: {}", self.task, failed.join(", "))
    }

    fn summary(&self) -> String {
        let mut text = String::new();
        for step in &self.ended {
            let verdict = if step.failure.is_some() { "FAILED" } else { "ok" };
            let tenths = step.took.as_millis() / 100;
            text.push_str(&format!("  {verdict:<6}  {:<10}  {:>4}.{} s\n", step.name, tenths / 10, tenths % 10));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_does_not_stop_the_steps_after_it() {
        let mut steps = Steps::new("lint");
        let mut ran = Vec::new();
        steps.run("first", || bail!("no"));
        steps.run("second", || {
            ran.push("second");
            Ok(())
        });
        assert!(steps.summary().contains("FAILED  first"));
        assert!(steps.summary().contains("ok      second"));
        assert_eq!(steps.finish().unwrap_err().to_string(), "lint failed in: first");
        assert_eq!(ran, ["second"]);
    }
}
