//! `quittance bench heal`: how long it takes from a change of which no webhook tells to the record that says it, with a service
//! that compares by schedule and repairs by rule.
//!
//! A sandbox gateway has subscriptions, a table in SQLite a copy of them, and nobody tells the table of anything. Subscriptions
//! are changed at the gateway one after the other, at moments that meet the schedule everywhere, and the table is watched until
//! it holds what was changed. There is no limit to compare with: what bounds it is the schedule, which is told beside it.

mod shop;

use super::measurement::{Latency, Measurement, Report};
use crate::arguments::Global;
use anyhow::{Context, Result, bail};
use clap::Args;
use quittance_server::clock::Stopwatch;
use quittance_server::config::Config;
use quittance_server::data::Data;
use quittance_server::metrics;
use quittance_server::reconcile::service::Reconciler;
use serde_json::json;
use shop::Shop;
use std::process::ExitCode;
use std::time::Duration;

/// How large, how often, and how finely.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Subscriptions that are compared each time
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..=200_000))]
    records: u64,
    /// Changes of which nobody is told
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    size: u64,
    /// Seconds between the end of one comparison and the next
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    every: u64,
}

/// How often the table is looked at. What is measured is no finer than this.
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// A change that takes longer than so many schedules, and a minute, is taken for lost.
const SCHEDULES_MAX: u32 = 20;
const SPARE: Duration = Duration::from_secs(60);

/// Measures, and prints it.
pub(super) fn run(arguments: &Arguments, global: &Global) -> Result<ExitCode> {
    // The first change waits for the first comparison, which meets an empty data directory; it is not measured.
    if arguments.size >= arguments.records {
        bail!(
            "--size {}: each change is one subscription's, and there are --records {}",
            arguments.size,
            arguments.records
        );
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    let place = tempfile::tempdir().context("cannot make a temporary folder")?;
    let shop = runtime.block_on(Shop::open(place.path(), arguments.records))?;
    let config = Config::from_text(&shop.configuration(arguments.every)?, &|_| None)?;
    metrics::ensure_installed();
    let data = Data::directory(place.path().join("data"));
    let service = Reconciler::start(&config, &data)?.context("the pair has no schedule")?;
    let measured = runtime.block_on(measure(&shop, arguments));
    service.stop();
    let (took, mut healed) = measured?;
    healed.sort_unstable();
    let milliseconds = |time: Duration| json!(time.as_millis() as u64);
    let at = |percent: usize| healed.get((healed.len() * percent).div_ceil(100).saturating_sub(1)).copied();
    let more = vec![
        ("records", json!(arguments.records)),
        ("schedule_ms", json!(arguments.every * 1_000)),
        ("min_ms", milliseconds(healed.first().copied().unwrap_or_default())),
        ("p90_ms", milliseconds(at(90).unwrap_or_default())),
        ("max_ms", milliseconds(healed.last().copied().unwrap_or_default())),
    ];
    let mut report = Report::new(global);
    report.take(Measurement {
        work: "heal",
        store: "sqlite",
        clients: 1,
        size: arguments.size,
        took,
        latency: Latency::of(healed),
        limit: None,
        rss_bytes: super::measurement::peak_memory(),
        more,
    })?;
    report.end()
}

/// Changes one after the other; gives how long all of it took, and each.
async fn measure(shop: &Shop, arguments: &Arguments) -> Result<(Duration, Vec<Duration>)> {
    let every = Duration::from_secs(arguments.every);
    let patience = every.saturating_mul(SCHEDULES_MAX).saturating_add(SPARE);
    shop.change(0).await?;
    let first = Stopwatch::start();
    while !shop.says(0)? {
        wait(&first, patience).await?;
    }
    let since = Stopwatch::start();
    let (mut open, mut healed) = (Vec::new(), Vec::new());
    let (mut made, mut next_at) = (0, Duration::ZERO);
    while made < arguments.size || !open.is_empty() {
        if made < arguments.size && since.elapsed() >= next_at {
            made += 1;
            shop.change(made).await?;
            open.push((made, Stopwatch::start()));
            next_at = since.elapsed() + gap(made, every);
        }
        let mut waiting = Vec::with_capacity(open.len());
        for (number, changed) in open {
            if shop.says(number)? {
                healed.push(changed.elapsed());
            } else {
                wait_no_longer(&changed, patience)?;
                waiting.push((number, changed));
            }
        }
        open = waiting;
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    Ok((since.elapsed(), healed))
}

/// Until the next change: a fraction of the schedule that follows the golden ratio, so that every part of it is met.
fn gap(number: u64, every: Duration) -> Duration {
    const GOLDEN_PERMILLE: u64 = 618;
    let permille = number * GOLDEN_PERMILLE % 1_000;
    every.saturating_mul(u32::try_from(permille).unwrap_or_default()) / 1_000
}

async fn wait(since: &Stopwatch, patience: Duration) -> Result<()> {
    wait_no_longer(since, patience)?;
    tokio::time::sleep(BETWEEN_LOOKS).await;
    Ok(())
}

fn wait_no_longer(since: &Stopwatch, patience: Duration) -> Result<()> {
    if since.elapsed() > patience {
        bail!("a change was not repaired within {patience:?}; the log says why (QUITTANCE_LOG=info)");
    }
    Ok(())
}
