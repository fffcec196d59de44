//! Owns: what the demo prints at the end, for a person and for a program. Does not own: any number in it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use quittance_core::currency::Currency;
use serde_json::{Value, json};

use super::verdict::Verdict;

/// Everything worth saying.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    /// What decided the demonstration.
    pub(crate) seed: u64,
    /// Commands that clients sent, each under a key of its own.
    pub(crate) commands: u64,
    /// Customers on both sides.
    pub(crate) customers: u64,
    /// Clients at once.
    pub(crate) clients: u64,
    /// Answers that were stored ones.
    pub(crate) replays: u64,
    /// How often the server was killed and started again under load.
    pub(crate) restarts: u64,
    /// Servers that shared the books.
    pub(crate) processes: u64,
    /// What went wrong and how often: the gateway's faults, the clients' and the kills.
    pub(crate) faults: BTreeMap<String, u64>,
    /// From the first step to the verdict.
    pub(crate) elapsed: Duration,
    /// Arguments that name the data.
    pub(crate) look_further: String,
    /// What came of it.
    pub(crate) verdict: Verdict,
}

/// A heading and the faults under it, each with the words for it.
type Group = (&'static str, &'static [(&'static str, &'static str)]);

const GROUPS: [Group; 4] = [
    (
        "the gateway",
        &[
            ("lost_answer", "answers lost after the charge"),
            ("timeout_after_effect", "timeouts after the charge"),
            ("timeout_before_effect", "timeouts before it"),
            ("late_effect", "requests carried out late"),
            ("error_500_charged", "500s that charged"),
            ("error_500_not_charged", "500s that did not"),
            ("connection_reset", "resets"),
            ("rate_limited_429", "429s"),
            ("unavailable_503", "503s"),
            ("bad_gateway_502", "502s of a proxy"),
            ("slow_answer", "slow answers"),
        ],
    ),
    (
        "its webhooks",
        &[
            ("webhook_dropped", "dropped"),
            ("webhook_duplicate", "sent twice"),
            ("webhook_late", "late"),
            ("webhook_shuffled", "out of order"),
        ],
    ),
    (
        "the clients",
        &[
            ("client_timeout", "hung up early"),
            ("client_connection_lost", "lost connections"),
            ("client_key_raced", "keys raced"),
            ("client_reference_raced", "payments asked for twice at once"),
            ("client_key_reused", "keys used for something else"),
            ("client_captured", "captured later"),
            ("client_released", "authorisations given up"),
            ("client_refunded", "refunded"),
            ("client_refunds_raced", "refunds raced"),
            ("client_disputed", "disputed by their bank"),
        ],
    ),
    ("the server", &[("server_killed", "× kill -9 under load")]),
];

const LINE_MAX: usize = 96;
const INDENT: &str = "                      ";

impl Report {
    /// One JSON document.
    pub(crate) fn document(&self) -> Value {
        let verdict = &self.verdict;
        // Only a text can be a decimal without floating point on the way.
        let seconds: Value = serde_json::from_str(&self.seconds()).unwrap_or_default();
        let unexplained: Value = serde_json::from_str(&verdict.unexplained_amount.to_string()).unwrap_or_default();
        let mut document = json!({
            "commands": self.commands,
            "acknowledged": verdict.acknowledged,
            "succeeded": verdict.with_status("succeeded"),
            "failed": verdict.with_status("failed"),
            "replays": self.replays,
            "duplicate_charges": verdict.duplicate_charges,
            "lost_commands": verdict.lost_commands,
            "unknown": verdict.with_status("unknown"),
            "review": verdict.with_status("review"),
            "unexplained_amount": unexplained,
            "books_balanced": verdict.books_balanced,
            "gateway_matches": verdict.gateway_matches,
            "restarts": self.restarts,
            "processes": self.processes,
            "faults": self.faults,
            "seconds": seconds,
            "findings": verdict.findings,
            "findings_count": verdict.findings_count,
            "seed": self.seed,
        });
        document["statuses"] = json!(verdict.statuses);
        document
    }

    /// A page for a person.
    pub(crate) fn text(&self, kept: Option<&Path>) -> String {
        let mut page = format!("\nQuittance demo · charges · seed {}\n\n", self.seed);
        self.what_was_done(&mut page);
        self.what_came_out(&mut page);
        self.money(&mut page);
        self.findings(&mut page);
        self.how_to_look_further(&mut page, kept);
        page
    }

    fn what_was_done(&self, page: &mut String) {
        line(page, "What was done to it");
        let commands = grouped(i128::from(self.commands));
        let places = format!("{} customers, {} clients at once", self.customers, self.clients);
        row(page, "commands", &format!("{commands} payments of {places}"));
        for (name, faults) in GROUPS {
            let said: Vec<String> = faults
                .iter()
                .filter_map(|(kind, words)| Some((self.faults.get(*kind).copied()?, words)))
                .filter(|(count, _)| *count > 0)
                .map(|(count, words)| format!("{} {words}", grouped(i128::from(count))))
                .collect();
            if !said.is_empty() {
                row(page, name, &wrapped(&said));
            }
        }
        page.push('\n');
    }

    fn what_came_out(&self, page: &mut String) {
        let verdict = &self.verdict;
        let number = |count: u64| grouped(i128::from(count));
        line(page, "What came out");
        row(page, "answered", &format!("{} of {} commands", number(verdict.acknowledged), number(self.commands)));
        row(page, "charged", &format!("{} orders, each once", number(verdict.orders_charged)));
        row(page, "declined", &format!("{} attempts", number(verdict.with_status("failed"))));
        row(page, "asked again", &format!("{} times, same answer byte for byte", number(self.replays)));
        row(page, "charged twice", &number(verdict.duplicate_charges));
        row(page, "lost", &number(verdict.lost_commands));
        let open = [verdict.with_status("unknown"), verdict.with_status("review")];
        row(page, "unknown, in review", &format!("{}, {}", number(open[0]), number(open[1])));
        let proof = if verdict.books_balanced { "balanced, every record in its chain" } else { "NOT SOUND" };
        row(page, "our books", &format!("{proof} ({} records)", number(verdict.records)));
        let agreement = if verdict.gateway_matches { "payment by payment and in total" } else { "NO" };
        row(page, "agree with gateway", agreement);
        page.push('\n');
    }

    fn money(&self, page: &mut String) {
        line(page, "The money, by the gateway's own list and by our ledger");
        say(page, format_args!("  {:<8}{:>18}{:>18}{:>18}\n", "", "gateway", "ledger", "unexplained"));
        for (currency, totals) in &self.verdict.currencies {
            let [gateway, ledger, unexplained] =
                [totals.gateway, totals.ledger, totals.unexplained()].map(|amount| money(amount, currency));
            say(page, format_args!("  {currency:<8}{gateway:>18}{ledger:>18}{unexplained:>18}\n"));
        }
        page.push('\n');
    }

    fn findings(&self, page: &mut String) {
        let verdict = &self.verdict;
        if verdict.is_good() {
            let close =
                format!("Every charge exactly once; the books equal the gateway's to the cent. {} s", self.seconds());
            line(page, &close);
            return;
        }
        line(page, &format!("Promises were broken: {} findings, in {} s", verdict.findings_count, self.seconds()));
        for finding in &verdict.findings {
            say(page, format_args!("  - {finding}\n"));
        }
        let statuses = verdict.statuses.iter().map(|(status, count)| format!("{count} {status}"));
        row(page, "payments", &statuses.collect::<Vec<_>>().join(", "));
    }

    fn how_to_look_further(&self, page: &mut String, kept: Option<&Path>) {
        page.push('\n');
        match kept {
            Some(folder) => {
                line(page, &format!("Kept in {}. Look further:", folder.display()));
                for words in ["trace order-00001-a", "verify"] {
                    say(page, format_args!("  quittance {words} {}\n", self.look_further));
                }
            }
            None => {
                line(page, "Look further: run it with --keep, then `quittance trace` any payment, key or reference.")
            }
        }
    }

    fn seconds(&self) -> String {
        let ms = self.elapsed.as_millis();
        format!("{}.{:03}", ms / 1_000, ms % 1_000)
    }
}

fn say(page: &mut String, words: std::fmt::Arguments<'_>) {
    page.write_fmt(words).expect("writing to a string cannot fail");
}

fn line(page: &mut String, words: &str) {
    say(page, format_args!("{words}\n"));
}

fn row(page: &mut String, name: &str, words: &str) {
    say(page, format_args!("  {name:<20}{words}\n"));
}

/// Parts between dots, on as many lines as it takes.
fn wrapped(parts: &[String]) -> String {
    let mut text = String::new();
    let mut length = INDENT.len();
    for part in parts {
        let part_length = part.chars().count() + 3;
        if text.is_empty() {
            text.push_str(part);
        } else if length + part_length > LINE_MAX {
            say(&mut text, format_args!(" ·\n{INDENT}{part}"));
            length = INDENT.len();
        } else {
            say(&mut text, format_args!(" · {part}"));
        }
        length += part_length;
    }
    text
}

/// An amount in minor units as a decimal.
fn money(amount: i128, currency: &str) -> String {
    let exponent = Currency::from_code(currency).map_or(0, |currency| u32::from(currency.exponent()));
    let unit = 10_i128.pow(exponent);
    let (whole, rest) = (amount / unit, (amount % unit).abs());
    let sign = if amount < 0 && whole == 0 { "-" } else { "" };
    match usize::try_from(exponent) {
        Ok(digits @ 1..) => format!("{sign}{}.{rest:0digits$}", grouped(whole)),
        Ok(_) | Err(_) => grouped(whole),
    }
}

/// Digits in groups of three.
fn grouped(number: i128) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = if number < 0 { "-".to_owned() } else { String::new() };
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Report, grouped, money};
    use crate::demo::verdict::{Totals, Verdict};
    use std::time::Duration;

    fn report() -> Report {
        let verdict = Verdict {
            acknowledged: 300,
            statuses: [("succeeded".to_owned(), 280), ("failed".to_owned(), 15)].into(),
            currencies: [("USD".to_owned(), Totals { gateway: 123_456, ledger: 123_456, differences: 0 })].into(),
            gateway_matches: true,
            books_balanced: true,
            ..Verdict::default()
        };
        Report {
            seed: 7,
            commands: 300,
            customers: 30,
            clients: 48,
            replays: 20,
            restarts: 3,
            processes: 1,
            faults: [("lost_answer".to_owned(), 40), ("server_killed".to_owned(), 3)].into(),
            elapsed: Duration::from_millis(4_007),
            look_further: "--data data".to_owned(),
            verdict,
        }
    }

    #[test]
    fn amounts_are_written_with_their_decimals() {
        for (amount, currency, expected) in [
            (123_456, "USD", "1,234.56"),
            (5, "USD", "0.05"),
            (-5, "USD", "-0.05"),
            (-123_456, "USD", "-1,234.56"),
            (1_234_567, "JPY", "1,234,567"),
            (1_234, "KWD", "1.234"),
        ] {
            assert_eq!(money(amount, currency), expected);
        }
        assert_eq!(grouped(999), "999");
    }

    #[test]
    fn every_promised_member_is_there() {
        let json = report().document();
        for member in [
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
            "processes",
            "seconds",
            "commands",
        ] {
            assert!(json[member].is_number(), "{member} in {json:#}");
        }
        assert_eq!(json["seconds"].to_string(), "4.007");
        assert_eq!((&json["books_balanced"], &json["gateway_matches"]), (&true.into(), &true.into()));
        assert_eq!(json["faults"]["lost_answer"], 40);
    }

    #[test]
    fn a_page_says_good_and_bad_plainly() {
        let mut report = report();
        assert!(report.text(None).contains("Every charge exactly once"), "{}", report.text(None));
        assert!(report.text(None).lines().all(|line| line.chars().count() <= 100));
        report.verdict.duplicate_charges = 1;
        report.verdict.findings = vec!["order-1 was charged 2 times".to_owned()];
        assert!(report.text(None).contains("order-1 was charged 2 times"));
    }
}
