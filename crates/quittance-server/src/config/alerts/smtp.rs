//! A channel that is reached by e-mail.

use crate::config::errors::Mistakes;
use crate::config::secrets::{self, SecretRef};
use crate::config::section::{Found, Section, closest};
use lettre::message::Mailbox;

/// Where mail is handed in, from whom and to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Smtp {
    /// The server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub tls: MailTls,
    /// The name of the account, and where its password is.
    pub login: Option<(String, SecretRef)>,
    /// Who writes.
    pub from: Mailbox,
    /// Who is told.
    pub to: Vec<Mailbox>,
}

/// How a connection to a mail server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailTls {
    /// After a greeting in the clear; a server that does not offer it is refused.
    StartTls,
    /// From the first byte.
    Implicit,
    /// Not at all.
    None,
}

pub(super) const KEYS: [&str; 7] = ["host", "port", "tls", "username", "password", "from", "to"];

/// Most people who are told.
const TO_MAX: usize = 50;

/// Reads what is said of the mail server.
pub(super) fn parse(section: &Section<'_>, mistakes: &mut Mistakes) -> Option<Smtp> {
    let host = host(section, mistakes);
    let tls = tls(section, mistakes);
    let default = match tls {
        MailTls::StartTls => 587,
        MailTls::Implicit => 465,
        MailTls::None => 25,
    };
    let port = section.number("port", default, 1..=65_535, mistakes).value;
    let login = login(section, tls, mistakes);
    let from = match section.text("from", mistakes) {
        Some(found) => mailbox(section, "from", &found, mistakes),
        None => missing(section, "from", "add from = \"Quittance <quittance@example.com>\"", mistakes),
    };
    let mut to = Vec::new();
    let found: Vec<_> = section.texts("to", mistakes).into_iter().flatten().collect();
    for one in found.iter().take(TO_MAX + 1) {
        to.push(mailbox(section, "to", one, mistakes)?);
    }
    if to.is_empty() || to.len() > TO_MAX {
        let what = format!("not a list of 1 to {TO_MAX} addresses");
        let origin = section.origin_of("to").unwrap_or_else(|| section.origin());
        mistakes.add(origin, &section.setting("to"), what, "add to = [\"ops@example.com\"]");
        return None;
    }
    // The range fits 16 bits.
    Some(Smtp { host: host?, port: port as u16, tls, login: login?, from: from?, to })
}

fn missing<T>(section: &Section<'_>, key: &str, remedy: &str, mistakes: &mut Mistakes) -> Option<T> {
    if !section.has(key) {
        mistakes.add(section.origin(), &section.setting(key), "missing", remedy);
    }
    None
}

fn host(section: &Section<'_>, mistakes: &mut Mistakes) -> Option<String> {
    let Some(found) = section.text("host", mistakes) else {
        return missing(section, "host", "add host = \"smtp.example.com\"", mistakes);
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    if found.value.is_empty() || !found.value.bytes().all(is_plain) {
        let remedy = "write the name of the server alone, as \"smtp.example.com\"";
        mistakes.add(found.origin, &section.setting("host"), "not the name of a server", remedy);
        return None;
    }
    Some(found.value)
}

fn tls(section: &Section<'_>, mistakes: &mut Mistakes) -> MailTls {
    let Some(found) = section.text("tls", mistakes) else { return MailTls::StartTls };
    match found.value.as_str() {
        "starttls" => MailTls::StartTls,
        "implicit" => MailTls::Implicit,
        "none" => MailTls::None,
        _ => {
            let remedy = closest(&found.value, &["starttls", "implicit", "none"]);
            mistakes.add(found.origin, &section.setting("tls"), "not a way to encrypt", remedy);
            MailTls::StartTls
        }
    }
}

/// The account; none where something is wrong about it.
fn login(section: &Section<'_>, tls: MailTls, mistakes: &mut Mistakes) -> Option<Option<(String, SecretRef)>> {
    let (username, password) = (section.text("username", mistakes), section.text("password", mistakes));
    let (username, password) = match (username, password) {
        (None, None) => return Some(None),
        (Some(username), Some(password)) => (username, password),
        _ => {
            let remedy = "write username and password = \"env:NAME\", or neither";
            let what = "a user name without a password, or the other way round";
            mistakes.add(section.origin(), &section.name, what, remedy);
            return None;
        }
    };
    if tls == MailTls::None {
        let remedy = "write tls = \"starttls\" or \"implicit\", or leave username and password out";
        let what = "the password would be sent in the clear";
        mistakes.add(password.origin.clone(), &section.setting("password"), what, remedy);
        return None;
    }
    let reference = secrets::reference(&password, &section.setting("password"), mistakes)?;
    Some(Some((username.value, reference)))
}

fn mailbox(section: &Section<'_>, key: &str, found: &Found<String>, mistakes: &mut Mistakes) -> Option<Mailbox> {
    let mailbox = found.value.parse().ok().filter(|_| !found.value.contains(char::is_control));
    if mailbox.is_none() {
        let remedy = "write \"ops@example.com\" or \"Operations <ops@example.com>\"";
        mistakes.add(found.origin.clone(), &section.setting(key), "not an address of mail", remedy);
    }
    mailbox
}
