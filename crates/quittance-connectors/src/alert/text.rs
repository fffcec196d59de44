//! What all channels say in the same words.

use quittance_core::alert::{Cause, Line, Message};
use quittance_core::money::decimal;
use quittance_core::record::value::Value;
use quittance_core::time::Timestamp;

/// Currencies that a line names; the others are counted.
const AMOUNTS_MAX: usize = 5;

/// What a message is about, on one line.
pub(super) fn title(message: &Message) -> String {
    let total = message.lines.len() as u64 + message.more;
    match message.lines.first() {
        Some(line) if total == 1 => {
            format!("{}: {} of {}", standing(line), line.kind.name(), line.subject)
        }
        _ => {
            let over = message.lines.iter().filter(|line| line.cause == Cause::Resolved).count();
            let wrong = message.lines.len() - over;
            let worst = message.severity().map_or("resolved", |severity| severity.name());
            match message.more {
                0 => format!("{worst}: {wrong} firing, {over} resolved"),
                more => format!("{worst}: {wrong} firing, {over} resolved, and {more} more"),
            }
        }
    }
}

/// How bad a line is, or that it is over.
pub(super) const fn standing(line: &Line) -> &'static str {
    match line.cause {
        Cause::Resolved => "resolved",
        _ => line.severity.name(),
    }
}

/// Why it is told, where that is not plain.
pub(super) const fn remark(cause: Cause) -> Option<&'static str> {
    match cause {
        Cause::Fires | Cause::Resolved => None,
        Cause::Worsened => Some("it became worse"),
        Cause::StillFires => Some("still"),
    }
}

/// How many, how much, and since when: `388 affected, 12.50 EUR at stake, since 2026-11-22T15:00:00Z`.
pub(super) fn facts(line: &Line) -> String {
    let mut facts = Vec::new();
    if line.count > 0 {
        facts.push(format!("{} affected", line.count));
    }
    let shown = line.amounts.iter().take(AMOUNTS_MAX);
    let mut amounts: Vec<String> =
        shown.map(|(currency, sum)| format!("{} {}", decimal(i128::from(*sum), *currency), currency.code())).collect();
    if line.amounts.len() > AMOUNTS_MAX {
        amounts.push(format!("{} more currencies", line.amounts.len() - AMOUNTS_MAX));
    }
    if !amounts.is_empty() {
        facts.push(format!("{} at stake", amounts.join(" and ")));
    }
    facts.push(format!("since {}", time(line.since)));
    facts.extend(line.until.map(|until| format!("over since {}", time(until))));
    facts.join(", ")
}

/// A time for people, to the second.
pub(super) fn time(at: Timestamp) -> String {
    Value::Timestamp(Timestamp::from_seconds(at.seconds())).to_string()
}

/// A link that may be followed: one of the web, and nothing that could end what it is written in.
pub(super) fn link(line: &Line) -> Option<&str> {
    let is_web = |link: &&str| link.starts_with("https://") || link.starts_with("http://");
    let is_plain = |link: &&str| link.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>|\"\\^`{}".contains(&byte));
    line.link.as_deref().filter(is_web).filter(is_plain)
}
