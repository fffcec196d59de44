//! A message for an incoming webhook of Slack (<https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>).

use super::text;
use quittance_core::alert::{Line, Message};
use serde_json::{Value, json};

/// Characters of one text, escaped; Slack takes 3,000 in a section.
const SAID_MAX: usize = 1_500;

/// Characters of a subject, escaped.
const SUBJECT_MAX: usize = 400;

/// Characters of a link, escaped; a longer one is left out.
const LINK_MAX: usize = 600;

/// The body of the request.
#[must_use]
pub fn slack(message: &Message) -> Vec<u8> {
    let title = escaped(&text::title(message), SAID_MAX);
    let mut blocks = vec![section(&format!("*{title}*"))];
    blocks.extend(message.lines.iter().map(|line| section(&said(line))));
    if message.more > 0 {
        let more = format!("and {} more; `quittance alerts` lists all of them", message.more);
        blocks.push(json!({"type": "context", "elements": [{"type": "mrkdwn", "text": more}]}));
    }
    json!({"text": title, "blocks": blocks}).to_string().into_bytes()
}

/// Told to take names and addresses in it for no more than text.
fn section(text: &str) -> Value {
    json!({"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": true}})
}

fn said(line: &Line) -> String {
    let standing = text::standing(line);
    let subject = escaped(&line.subject, SUBJECT_MAX);
    let remark = text::remark(line.cause).map(|remark| format!(" ({remark})")).unwrap_or_default();
    let mut said = format!("*{standing}* {} of *{subject}*{remark}: ", line.kind.name());
    said.push_str(&escaped(&line.what, SAID_MAX));
    said.push('\n');
    said.push_str(&text::facts(line));
    if let Some(link) = text::link(line).map(|link| link.replace('&', "&amp;")).filter(|link| link.len() <= LINK_MAX) {
        said.push_str(&format!(" · <{link}|more>"));
    }
    said
}

/// A text as Slack wants it: `&`, `<` and `>` are what it would take for its own. What makes text bold or code is set apart
/// by a space of no width, so that a text from elsewhere looks like one.
fn escaped(text: &str, max: usize) -> String {
    let mut escaped = String::new();
    let mut left = max;
    for c in text.chars() {
        let said = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '*' => "\u{200b}*\u{200b}",
            '`' => "\u{200b}`\u{200b}",
            '~' => "\u{200b}~\u{200b}",
            _ => {
                if left == 0 {
                    break;
                }
                left -= 1;
                escaped.push(c);
                continue;
            }
        };
        let length = said.chars().count();
        if length > left {
            break;
        }
        left -= length;
        escaped.push_str(said);
    }
    escaped
}
