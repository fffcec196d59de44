//! One measurement and how it is told: a line of JSON as it is made, or a table at the end.

use crate::arguments::Global;
use crate::output::{self, Document, Format};
use anyhow::Result;
use serde_json::{Value, json};
use std::process::ExitCode;
use std::time::Duration;

/// One measurement.
pub(super) struct Measurement {
    /// What was done.
    pub(super) work: &'static str,
    /// Where.
    pub(super) store: &'static str,
    /// How many did it at once.
    pub(super) clients: u64,
    /// How much of it: records of each side, payments, requests.
    pub(super) size: u64,
    /// How long all of it took.
    pub(super) took: Duration,
    /// How long one call took; none where all of it is one call.
    pub(super) latency: Option<Latency>,
    /// How long the limit took for the same; none where there is none to compare with.
    pub(super) limit: Option<(&'static str, Duration)>,
    /// The most memory the process that did it had until then, in bytes.
    pub(super) rss_bytes: Option<u64>,
    /// More to say.
    pub(super) more: Vec<(&'static str, Value)>,
}

/// How long calls took: half of them at most the one, 99 of 100 at most the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Latency {
    p50: Duration,
    p99: Duration,
}

impl Latency {
    /// Of these calls; none where there were none.
    pub(super) fn of(mut calls: Vec<Duration>) -> Option<Self> {
        calls.sort_unstable();
        let at = |percent: usize| calls.get((calls.len() * percent).div_ceil(100).checked_sub(1)?).copied();
        Some(Self { p50: at(50)?, p99: at(99)? })
    }
}

/// What has been measured, told in the form that was asked for.
pub(super) struct Report {
    format: Format,
    measured: Vec<Measurement>,
}

impl Report {
    /// Nothing yet.
    pub(super) fn new(global: &Global) -> Self {
        Self { format: global.format(), measured: Vec::new() }
    }

    /// Takes a measurement; as JSON it is printed at once.
    pub(super) fn take(&mut self, measurement: Measurement) -> Result<()> {
        if self.format == Format::Json {
            output::write(&format!("{}\n", measurement.json()))?;
        }
        self.measured.push(measurement);
        Ok(())
    }

    /// Prints what is not printed yet.
    pub(super) fn end(self) -> Result<ExitCode> {
        if self.format != Format::Json {
            document(&self.measured).print(self.format)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Measurement {
    #[expect(clippy::float_arithmetic, reason = "rates of a benchmark are no money")]
    fn rate(&self, took: Duration) -> f64 {
        self.size as f64 / took.as_secs_f64().max(1e-9)
    }

    fn json(&self) -> Value {
        let limit = self.limit.map(|(_, took)| self.rate(took));
        let ops = self.rate(self.took);
        let mut json = json!({
            "work": self.work,
            "store": self.store,
            "clients": self.clients,
            "size": self.size,
            "seconds": self.took.as_secs_f64(),
            "ops_per_s": ops.round(),
            "p50_ms": self.latency.map(|latency| milliseconds(latency.p50)),
            "p99_ms": self.latency.map(|latency| milliseconds(latency.p99)),
            "rss_bytes": self.rss_bytes,
            "limit": self.limit.map(|(name, _)| name),
            "limit_ops_per_s": limit.map(f64::round),
            "ratio": limit.map(|limit| ratio(ops, limit)),
        });
        if let Value::Object(map) = &mut json {
            map.extend(self.more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        }
        json
    }
}

/// The quotient, to two places.
#[expect(clippy::float_arithmetic, reason = "ratios of a benchmark are no money")]
pub(super) fn ratio(this: f64, that: f64) -> f64 {
    (this / that * 100.0).round() / 100.0
}

#[expect(clippy::float_arithmetic, reason = "times of a benchmark are no money")]
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e5).round() / 100.0
}

fn document(measured: &[Measurement]) -> Document {
    const COLUMNS: [&str; 11] = [
        "work",
        "store",
        "clients",
        "size",
        "seconds",
        "ops_per_s",
        "p50_ms",
        "p99_ms",
        "limit",
        "limit_ops_per_s",
        "ratio",
    ];
    let cell = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let rows = measured.iter().map(|measurement| {
        let json = measurement.json();
        COLUMNS.iter().map(|column| cell(&json[column])).collect()
    });
    let memory = measured.iter().filter_map(|measurement| measurement.rss_bytes).max();
    Document {
        json: Value::Null,
        columns: COLUMNS.to_vec(),
        rows: rows.collect(),
        notes: vec![format!("peak memory {} MB", memory.unwrap_or(0) / 1_000_000)],
        text: None,
    }
}

/// The most memory this process has had, in bytes, where the system tells (Linux, `VmHWM` of proc(5)).
pub(super) fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::Latency;
    use std::time::Duration;

    #[test]
    fn latencies_are_those_of_the_call_at_the_rank() {
        let calls = |count: u64| (1..=count).rev().map(Duration::from_millis).collect::<Vec<_>>();
        let told = |count| Latency::of(calls(count)).map(|latency| (latency.p50.as_millis(), latency.p99.as_millis()));
        assert_eq!(told(200), Some((100, 198)));
        assert_eq!(told(1), Some((1, 1)));
        assert_eq!(told(0), None);
    }
}
