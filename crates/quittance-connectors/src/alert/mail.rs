//! A message as an e-mail: its subject and its text. How both are encoded is the business of whoever sends it.

use super::text;
use quittance_core::alert::Message;
use std::fmt::Write as _;

/// Characters of a subject.
const SUBJECT_MAX: usize = 200;

/// What an e-mail says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Its subject, on one line.
    pub subject: String,
    /// Its text; lines end with a line feed.
    pub text: String,
}

/// The e-mail of a message.
#[must_use]
pub fn mail(message: &Message) -> Mail {
    let subject = one_line(&format!("[quittance] {}", text::title(message)));
    let mut body = String::new();
    for line in &message.lines {
        let (standing, kind) = (text::standing(line), line.kind.name());
        let remark = text::remark(line.cause).map(|remark| format!(" ({remark})")).unwrap_or_default();
        let (subject, what) = (one_line(&line.subject), one_line(&line.what));
        // A String takes all that is written to it.
        let _ = write!(body, "{standing}: {kind} of {subject}{remark}\n  {what}\n  {}\n", text::facts(line));
        if let Some(link) = text::link(line) {
            let _ = writeln!(body, "  {link}");
        }
        body.push('\n');
    }
    if message.more > 0 {
        let _ = write!(body, "and {} more; `quittance alerts` lists all of them\n\n", message.more);
    }
    let _ = writeln!(body, "Told by Quittance at {}.", text::time(message.at));
    Mail { subject: subject.chars().take(SUBJECT_MAX).collect(), text: body }
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
