//! What pages are made of: tiles, tables, facts, forms. Every page is a list of sections, so that each has its heading, each
//! table its caption and the scope of its headers, and each field its label, because there is no other way to make one.
//!
//! Owns no words of a page, and reads nothing.

use askama::Template;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use quittance_core::currency::Currency;
use quittance_core::money::{Money, decimal};
use quittance_core::time::Timestamp;

/// What stands in a query as it is (RFC 3986, section 2.3).
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How something stands, the worst first. It is always said by a word, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tone {
    Bad,
    Warn,
    Good,
    Plain,
}

impl Tone {
    /// The word for it; nothing where there is nothing to say.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Bad => "Problem",
            Self::Warn => "Attention",
            Self::Good => "OK",
            Self::Plain => "",
        }
    }

    /// The name of its style.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Bad => "bad",
            Self::Warn => "warn",
            Self::Good => "good",
            Self::Plain => "plain",
        }
    }
}

/// One part of a page.
pub(super) enum Section {
    Note(Tone, String),
    Tiles(String, Vec<Tile>),
    Table(Table),
    Facts(String, Vec<(String, Cell)>),
    Filters(Filters),
    Drawing(String, String),
    Ask(Ask),
}

/// One number of the overview, and where it is dealt with.
pub(super) struct Tile {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) detail: String,
    pub(super) tone: Tone,
    pub(super) href: Option<String>,
}

/// A table; the first cell of each row names it.
#[derive(Default)]
pub(super) struct Table {
    pub(super) title: String,
    pub(super) caption: String,
    pub(super) columns: Vec<&'static str>,
    pub(super) rows: Vec<Vec<Cell>>,
    /// What is said where there are no rows.
    pub(super) empty: String,
    /// Where the next page is.
    pub(super) next: Option<String>,
}

/// One value in a table or a list of facts.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "dashboard/cell.html")]
pub(super) struct Cell {
    text: String,
    href: Option<String>,
    /// The time that is meant, for programs.
    at: Option<String>,
    tone: Option<&'static str>,
    is_number: bool,
    is_code: bool,
}

impl Cell {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// An id, a name or a value as a system has it.
    pub(super) fn code(text: impl Into<String>) -> Self {
        Self { is_code: true, ..Self::text(text) }
    }

    pub(super) fn number(number: impl ToString) -> Self {
        Self { is_number: true, ..Self::text(number.to_string()) }
    }

    pub(super) fn money(money: Money) -> Self {
        Self::number(money)
    }

    pub(super) fn amount(amount: i128, currency: Currency) -> Self {
        Self::number(format!("{} {currency}", decimal(amount, currency)))
    }

    /// A word for how something stands.
    pub(super) fn state(word: impl Into<String>, tone: Tone) -> Self {
        Self { tone: Some(tone.class()), ..Self::text(word) }
    }

    pub(super) fn at(at: Timestamp) -> Self {
        Self { at: Some(crate::render::time(at)), ..Self::text(clock_text(at)) }
    }

    /// A time, or that there is none.
    pub(super) fn maybe_at(at: Option<Timestamp>) -> Self {
        at.map_or_else(|| Self::text("–"), Self::at)
    }

    /// Whether it is lined up as numbers are.
    pub(super) const fn is_number(&self) -> bool {
        self.is_number
    }

    pub(super) fn to(self, href: impl Into<String>) -> Self {
        Self { href: Some(href.into()), ..self }
    }
}

/// What narrows a list: links, and a form for what has to be typed.
#[derive(Default)]
pub(super) struct Filters {
    pub(super) title: &'static str,
    pub(super) action: String,
    /// Groups of links, each with what they are about.
    pub(super) links: Vec<(&'static str, Vec<Link>)>,
    pub(super) hidden: Vec<(&'static str, String)>,
    pub(super) fields: Vec<Field>,
}

/// Another way to look at a list, or what can be done.
pub(super) struct Link {
    pub(super) text: String,
    pub(super) href: String,
    /// Whether it is the one that holds.
    pub(super) is_here: bool,
}

/// A form that asks for something to be done.
#[derive(Default)]
pub(super) struct Ask {
    pub(super) title: String,
    pub(super) about: String,
    pub(super) action: String,
    pub(super) hidden: Vec<(&'static str, String)>,
    pub(super) fields: Vec<Field>,
    pub(super) button: String,
}

/// One field of a form.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) value: String,
    pub(super) is_required: bool,
}

/// An address under which a list is narrowed; what is none is left out.
pub(super) fn address(path: &str, parameters: &[(&str, Option<&str>)]) -> String {
    let mut address = path.to_owned();
    let given = parameters.iter().filter_map(|(name, value)| value.map(|value| (name, value)));
    for (at, (name, value)) in given.enumerate() {
        address.push(if at == 0 { '?' } else { '&' });
        address.push_str(&format!("{name}={}", utf8_percent_encode(value, QUERY)));
    }
    address
}

/// An address below another, by a name that may hold anything.
pub(super) fn below(path: &str, name: &str) -> String {
    format!("{path}/{}", utf8_percent_encode(name, QUERY))
}

/// A time as people read it, in UTC, to the second.
pub(super) fn clock_text(at: Timestamp) -> String {
    match jiff::Timestamp::from_microsecond(at.0) {
        Ok(at) => at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        Err(_) => format!("{} µs", at.0),
    }
}

/// How long something has lasted, in its largest unit: a page that shows it changes no more often than it has to.
pub(super) fn age(since: Timestamp, now: Timestamp) -> String {
    span(now.ms_since(since))
}

/// A span of milliseconds, in its largest unit.
pub(super) fn span(ms: u64) -> String {
    let seconds = ms / 1_000;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// A number that was counted up to a limit only.
pub(super) fn counted(count: usize, max: usize) -> String {
    if count >= max { format!("{max}+") } else { count.to_string() }
}

/// What is shown of a text that systems or people have said: no control characters, nothing that turns the direction of
/// what follows. Escaping is the templates'.
pub(super) fn harmless(text: &str) -> String {
    let is_harmful = |c: char| {
        c.is_control() && !matches!(c, '\n' | '\t')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if is_harmful(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_escaped_and_harmless() {
        let cell = Cell::text("<script>\u{7}a&'\"\u{202e}b").to("/x?a=\"b");
        let shown = harmless(&cell.to_string());
        assert!(!shown.contains(['\u{7}', '\u{202e}']) && !shown.contains("<script"), "{shown}");
        assert!(shown.contains("&#60;script") && shown.contains("a=&#34;b"), "{shown}");
    }

    #[test]
    fn addresses_hold_anything() {
        let address =
            address("/dashboard/payments", &[("status", None), ("customer", Some("a&b=ü")), ("limit", Some("1"))]);
        assert_eq!(address, "/dashboard/payments?customer=a%26b%3D%C3%BC&limit=1");
        assert_eq!(below("/dashboard/pairs", "a/b"), "/dashboard/pairs/a%2Fb");
    }

    #[test]
    fn spans_and_counts_are_read_at_a_glance() {
        let spans = [0, 59_999, 60_000, 3_600_000, 172_799_000, 172_800_000].map(span);
        assert_eq!(spans, ["0 s", "59 s", "1 min", "1 h", "47 h", "2 days"]);
        assert_eq!((counted(999, 1_000), counted(1_000, 1_000)), ("999".to_owned(), "1000+".to_owned()));
        assert_eq!(clock_text(Timestamp::from_seconds(1_700_000_000)), "2023-11-14 22:13:20 UTC");
    }
}
