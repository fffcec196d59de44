//! What is said, exactly, and what hostile texts come to.

use super::*;
use quittance_core::alert::{Cause, Kind, Line, Message, Severity};
use quittance_core::currency::Currency;
use quittance_core::time::Timestamp;
use serde_json::{Value, json};

fn line() -> Line {
    Line {
        cause: Cause::Fires,
        subject: "subscriptions".into(),
        kind: Kind::Drift,
        severity: Severity::Critical,
        what: "388 records differ".into(),
        count: 388,
        amounts: vec![(Currency::from_code("EUR").expect("a currency"), 1_250)],
        since: Timestamp(1_700_000_000_123_456),
        until: None,
        link: Some("https://example.com/runs?a=1&b=2".into()),
    }
}

fn message(lines: Vec<Line>, more: u64) -> Message {
    Message { at: Timestamp(1_700_000_100_000_000), lines, more }
}

fn parsed(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("it is JSON")
}

#[test]
fn slack_is_told_one_alert() {
    let section = |text: &str| json!({"type": "section", "text": {"type": "mrkdwn", "verbatim": true, "text": text}});
    let said = "*critical* drift of *subscriptions*: 388 records differ\n388 affected, 12.50 EUR at stake, since \
                2023-11-14T22:13:20Z · <https://example.com/runs?a=1&amp;b=2|more>";
    let told = parsed(&slack(&message(vec![line()], 0)));
    let title = "critical: drift of subscriptions";
    assert_eq!(told, json!({"text": title, "blocks": [section(&format!("*{title}*")), section(said)]}));
}

#[test]
fn slack_is_told_many_within_its_limits() {
    let hostile = Line {
        subject: "&".repeat(200),
        what: "<!channel> <https://evil.example|click> *`&".repeat(12),
        link: Some(format!("https://example.com/{}", "&".repeat(480))),
        amounts: ["EUR", "USD", "JPY", "KWD", "GBP", "CHF", "SEK"]
            .map(|code| (Currency::from_code(code).expect("a currency"), i64::MIN))
            .to_vec(),
        count: u64::MAX,
        ..line()
    };
    let told = parsed(&slack(&message(vec![hostile; 20], 17)));
    let blocks = told["blocks"].as_array().expect("blocks");
    assert!(blocks.len() <= 50, "Slack takes 50 blocks");
    for block in &blocks[1..21] {
        let text = block["text"]["text"].as_str().expect("a text");
        assert!(text.chars().count() <= 3_000, "{}", text.len());
        assert!(!text.contains("<!") && !text.contains("<https://evil"), "{text}");
    }
    assert_eq!(blocks[21]["elements"][0]["text"], "and 17 more; `quittance alerts` lists all of them");
    assert_eq!(told["text"], "critical: 20 firing, 0 resolved, and 17 more");
}

#[test]
fn a_link_that_is_no_address_of_the_web_is_left_out() {
    for link in ["javascript:alert(1)", "https://a|b", "https://a>b", "https://a b", "file:///etc/passwd"] {
        let told = slack(&message(vec![Line { link: Some(link.into()), ..line() }], 0));
        assert!(!String::from_utf8_lossy(&told).contains("more>"), "{link}");
    }
}

#[test]
fn an_event_says_all_of_it_in_data() {
    let until = Some(Timestamp(1_700_000_050_000_000));
    let over = Line { cause: Cause::Resolved, until, link: None, ..line() };
    let told = parsed(&event(&message(vec![over], 3), "ntc_1", "ops"));
    let alert = json!({
        "state": "resolved",
        "subject": "subscriptions",
        "kind": "drift",
        "severity": "critical",
        "what": "388 records differ",
        "count": 388,
        "amounts": [{"currency": "EUR", "amount": 1_250}],
        "since": "2023-11-14T22:13:20.123456Z",
        "until": "2023-11-14T22:14:10Z",
        "link": null,
    });
    let title = "resolved: 0 firing, 1 resolved, and 3 more";
    let data = json!({"title": title, "severity": null, "alerts": [alert], "more": 3});
    let expected = json!({
        "specversion": "1.0",
        "id": "ntc_1",
        "source": "urn:quittance:alerts",
        "type": "dev.quittance.alerts.v1",
        "subject": "ops",
        "time": "2023-11-14T22:15:00Z",
        "datacontenttype": "application/json",
        "data": data,
    });
    assert_eq!(told, expected);
}

#[test]
fn a_mail_is_a_subject_and_a_text() {
    let still = Line { cause: Cause::StillFires, link: None, amounts: Vec::new(), count: 0, ..line() };
    let mail = mail(&message(vec![line(), still], 1));
    assert_eq!(mail.subject, "[quittance] critical: 2 firing, 0 resolved, and 1 more");
    let text = "critical: drift of subscriptions\n  388 records differ\n  388 affected, 12.50 EUR at stake, since \
                2023-11-14T22:13:20Z\n  https://example.com/runs?a=1&b=2\n\ncritical: drift of subscriptions (still)\n  \
                388 records differ\n  since 2023-11-14T22:13:20Z\n\nand 1 more; `quittance alerts` lists all of them\n\n\
                Told by Quittance at 2023-11-14T22:15:00Z.\n";
    assert_eq!(mail.text, text);
}

#[test]
fn no_text_ends_a_line_of_a_mail() {
    let hostile = Line { subject: "a\r\nBcc: b".into(), what: "x\r\n.\r\nMAIL FROM".into(), ..line() };
    let mail = mail(&message(vec![hostile], 0));
    assert!(!mail.subject.contains(['\r', '\n']), "{}", mail.subject);
    assert!(mail.text.contains("  x  .  MAIL FROM\n"), "{}", mail.text);
}
