//! A message as an e-mail, handed in by SMTP.

use super::SendError;
use crate::config::{ChannelSecrets, MailTls, Smtp};
use crate::transport::ensure_cryptography;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message as Letter, Tokio1Executor};
use quittance_connectors::alert as encoding;
use quittance_core::alert::Message;
use quittance_core::id::NoticeId;
use std::error::Error;
use std::time::{Duration, SystemTime};

/// How long handing it in may take; shorter than the lease of a message.
const TIMEOUT: Duration = Duration::from_secs(20);

/// How long the server may take for each answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) async fn send(
    smtp: &Smtp,
    secrets: &ChannelSecrets,
    id: NoticeId,
    message: &Message,
) -> Result<(), SendError> {
    let letter = letter(smtp, id, message).map_err(|error| describe(&*error))?;
    let way = way(smtp, secrets).map_err(|error| describe(&*error))?;
    match tokio::time::timeout(TIMEOUT, way.send(letter)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(describe(&error)),
        Err(_) => Err(format!("no answer within {} s", TIMEOUT.as_secs()).into()),
    }
}

/// The letter, with one id and one date for every attempt.
fn letter(smtp: &Smtp, id: NoticeId, message: &Message) -> Result<Letter, Box<dyn Error + Send + Sync>> {
    let mail = encoding::mail(message);
    let date = SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(message.at.0).unwrap_or(0));
    let mut builder = Letter::builder()
        .message_id(Some(format!("<{id}@{}>", smtp.from.email.domain())))
        .date(date)
        .from(smtp.from.clone())
        .subject(mail.subject)
        .header(ContentType::TEXT_PLAIN);
    for to in &smtp.to {
        builder = builder.to(to.clone());
    }
    Ok(builder.body(mail.text)?)
}

type Way = AsyncSmtpTransport<Tokio1Executor>;

fn way(smtp: &Smtp, secrets: &ChannelSecrets) -> Result<Way, Box<dyn Error + Send + Sync>> {
    ensure_cryptography();
    let parameters = || TlsParameters::new(smtp.host.clone());
    let tls = match smtp.tls {
        MailTls::StartTls => Tls::Required(parameters()?),
        MailTls::Implicit => Tls::Wrapper(parameters()?),
        MailTls::None => Tls::None,
    };
    // "Dangerous" is that encryption has to be asked for, which is done here.
    let mut builder = Way::builder_dangerous(&smtp.host).port(smtp.port).tls(tls).timeout(Some(ANSWER_TIMEOUT));
    if let (Some((username, _)), Some(password)) = (&smtp.login, &secrets.password) {
        builder = builder.credentials(Credentials::new(username.clone(), password.expose().to_owned()));
    }
    Ok(builder.build())
}

/// What went wrong, with its causes.
fn describe(error: &dyn Error) -> SendError {
    let mut causes = vec![error.to_string()];
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    causes.join(": ").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use quittance_core::alert::{Cause, Kind, Line, Severity};
    use quittance_core::time::Timestamp;

    /// Whatever a system says, it stays in the one header and the one body.
    #[test]
    fn a_letter_has_the_headers_it_has() {
        let line = Line {
            cause: Cause::Fires,
            subject: "käse\r\nBcc: everybody@example.com".into(),
            kind: Kind::Drift,
            severity: Severity::Critical,
            what: "a\r\n.\r\n\r\nb".into(),
            count: 1,
            amounts: Vec::new(),
            since: Timestamp(0),
            until: None,
            link: None,
        };
        let message = Message { at: Timestamp(1_700_000_000_000_000), lines: vec![line], more: 0 };
        let mailbox = |text: &str| text.parse().expect("an address");
        let smtp = Smtp {
            host: "localhost".into(),
            port: 25,
            tls: MailTls::None,
            login: None,
            from: mailbox("Quittance <quittance@example.com>"),
            to: vec![mailbox("ops@example.com"), mailbox("Günther <g@example.com>")],
        };
        let letter = letter(&smtp, NoticeId::from_bytes([1; 16]), &message).expect("it can be written");
        let text = String::from_utf8(letter.formatted()).expect("ASCII");
        let (headers, body) = text.split_once("\r\n\r\n").expect("headers and a body");
        let names: Vec<&str> =
            headers.lines().filter(|line| !line.starts_with(' ')).filter_map(|line| line.split(':').next()).collect();
        let expected = ["Message-ID", "Date", "From", "Subject", "Content-Type", "To", "Content-Transfer-Encoding"];
        assert_eq!(names, expected, "{headers}");
        assert!(headers.contains("Date: Tue, 14 Nov 2023 22:13:20 +0000"), "{headers}");
        assert!(!headers.contains("\r\nBcc"), "{headers}");
        assert!(!body.contains("\r\n.\r\n"), "{body}");
    }
}
