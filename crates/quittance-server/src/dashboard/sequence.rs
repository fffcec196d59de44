//! A story as a drawing: a lane for the client, for us, for the gateway and for its webhooks, and an arrow for what went from
//! one to another. The table beside it says the same in words.

use super::trace::spoken;
use super::view::clock_text;
use askama::Template;
use quittance_engine::trace::{Line, Story};

/// Lines that are drawn; the table has more.
const LINES_MAX: usize = 60;

/// Where the lanes stand.
const LANES: [(&str, u32); 4] = [("Client", 70), ("Quittance", 300), ("Gateway", 530), ("Webhooks", 720)];

/// Room above the first arrow, and for each.
const TOP: u32 = 50;
const STEP: u32 = 34;

/// Longest text at an arrow, in characters.
const TEXT_MAX: usize = 44;

#[derive(Template)]
#[template(path = "dashboard/sequence.svg")]
struct Drawing<'a> {
    subject: &'a str,
    height: u32,
    foot: u32,
    lanes: [(&'static str, u32); 4],
    arrows: Vec<Arrow>,
}

/// From one lane to another; at one lane where something happened there alone.
struct Arrow {
    from: u32,
    to: u32,
    /// The point of its head, and the two behind it.
    head: String,
    middle: u32,
    y: u32,
    text_y: u32,
    text: String,
    time: String,
}

/// The drawing of a story; none where nothing happened.
pub(super) fn drawing(story: &Story) -> Option<String> {
    let arrows: Vec<Arrow> = story.lines.iter().take(LINES_MAX).zip(0..).map(|(line, at)| arrow(line, at)).collect();
    let foot = TOP + STEP * u32::try_from(arrows.len()).unwrap_or_default();
    let drawing = Drawing { subject: &story.subject, height: foot + 20, foot, lanes: LANES, arrows };
    (!story.lines.is_empty()).then(|| drawing.render().ok()).flatten()
}

fn arrow(line: &Line, at: u32) -> Arrow {
    let [client, us, gateway, webhooks] = LANES.map(|(_, x)| x);
    let is_of_webhook = line.details.iter().any(|(name, value)| *name == "source" && value.starts_with("webhook:"));
    let (from, to) = match (line.actor, line.event) {
        (_, "answer_given") => (us, client),
        (_, "ticket_issued") => (us, gateway),
        (_, "webhook_received") => (webhooks, us),
        ("client", _) => (client, us),
        ("gateway", _) if is_of_webhook => (webhooks, us),
        ("gateway", _) => (gateway, us),
        _ => (us, us),
    };
    let y = TOP + STEP * at + 20;
    let tail = if from < to { to - 8 } else { to + 8 };
    Arrow {
        from,
        to,
        head: format!("{to},{y} {tail},{} {tail},{}", y - 4, y + 4),
        middle: from.midpoint(to),
        y,
        text_y: y - 6,
        text: text_of(line),
        time: clock_text(line.at),
    }
}

/// What happened, with what tells it from others of its kind.
fn text_of(line: &Line) -> String {
    let detail = |wanted: &str| line.details.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.as_str());
    let more = ["step", "status", "asked", "type", "operation"].into_iter().find_map(detail);
    let text = match more {
        Some(more) => format!("{}: {more}", spoken(line.event)),
        None => spoken(line.event),
    };
    match text.char_indices().nth(TEXT_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quittance_core::time::Timestamp;

    fn line(actor: &'static str, event: &'static str, details: &[(&'static str, &str)]) -> Line {
        let details = details.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Line { at: Timestamp::from_seconds(1_700_000_000), actor, event, details }
    }

    #[test]
    fn arrows_go_from_who_said_it_to_who_heard_it() {
        let ends = |line: Line| {
            let arrow = arrow(&line, 0);
            (arrow.from, arrow.to)
        };
        assert_eq!(ends(line("client", "request_received", &[])), (70, 300));
        assert_eq!(ends(line("engine", "ticket_issued", &[])), (300, 530));
        assert_eq!(ends(line("gateway", "effect_advanced", &[("source", "send")])), (530, 300));
        assert_eq!(ends(line("gateway", "effect_advanced", &[("source", "webhook:evt_1")])), (720, 300));
        assert_eq!(ends(line("engine", "answer_given", &[])), (300, 70));
        assert_eq!(ends(line("operator", "operator_acted", &[])), (300, 300));
    }

    #[test]
    fn what_is_drawn_is_escaped_and_cut() {
        let lines = vec![line("client", "request_received", &[("operation", "<b>&\"".repeat(30).as_str())])];
        let story = Story { subject: "<i>".into(), payment: None, command: None, status: String::new(), lines };
        let svg = drawing(&story).expect("a drawing");
        assert!(
            svg.contains("&#60;b&#62;") && !svg.contains("<b>") && !svg.contains("<i>") && svg.contains('…'),
            "{svg}"
        );
        assert_eq!(drawing(&Story { lines: Vec::new(), ..story }), None);
    }
}
