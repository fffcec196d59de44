//! One message on its way to a channel: one attempt, as the channel takes it.
//!
//! Operators write the addresses of channels, who may read and change this server's configuration anyway. So, unlike the
//! addresses of tenants' endpoints, they may lead anywhere, also into this network and to this machine.

mod mail;

use crate::clock;
use crate::config::{Channel, ChannelSecrets, Config, ConfigErrors, Way};
use crate::outgoing::{Posted, Sender, signed};
use crate::render::EVENT_MEDIA_TYPE;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use quittance_connectors::alert as encoding;
use quittance_core::alert::Message;
use quittance_core::id::NoticeId;
use std::collections::BTreeMap;

/// How much is kept of why a message was not taken, in bytes.
const ERROR_BYTES_MAX: usize = 200;

/// The ways to all channels of a configuration.
pub struct Ways {
    sender: Sender,
    channels: BTreeMap<String, (Channel, ChannelSecrets)>,
}

/// Why a channel did not take a message. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct SendError {
    /// What happened.
    pub what: String,
    /// How long it wants to be left alone, milliseconds.
    pub wait_ms: Option<u64>,
}

impl From<String> for SendError {
    fn from(what: String) -> Self {
        let tidy: String = what.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let end = tidy.floor_char_boundary(ERROR_BYTES_MAX);
        Self { what: tidy[..end].to_owned(), wait_ms: None }
    }
}

impl Ways {
    /// Fetches the secrets of all channels.
    ///
    /// # Errors
    ///
    /// [`ConfigErrors`] when one leads nowhere.
    pub fn new(config: &Config) -> Result<Self, ConfigErrors> {
        let mut channels = BTreeMap::new();
        for (name, channel) in &config.alerts {
            channels.insert(name.clone(), (channel.clone(), config.channel_secrets(channel)?));
        }
        Ok(Self { sender: Sender::new(true), channels })
    }

    /// Sends a message once.
    ///
    /// **Effects**: whatever its receiver makes of it.
    ///
    /// # Errors
    ///
    /// [`SendError`]; it may have been taken all the same.
    pub async fn send(&self, channel: &str, id: NoticeId, message: &Message) -> Result<(), SendError> {
        let Some((configured, secrets)) = self.channels.get(channel) else {
            return Err(format!("no channel `{channel}` is configured").into());
        };
        let body = shown(channel, &configured.way, id, message);
        match &configured.way {
            Way::Smtp(smtp) => mail::send(smtp, secrets, id, message).await,
            Way::Slack { .. } => self.post(secrets, json_headers("application/json"), body.into_bytes()).await,
            Way::Webhook { .. } => {
                let mut headers = json_headers(EVENT_MEDIA_TYPE);
                let (id, seconds) = (id.to_string(), clock::now().seconds());
                insert(&mut headers, "webhook-id", &id)?;
                insert(&mut headers, "webhook-timestamp", &seconds.to_string())?;
                if let Some(key) = &secrets.key {
                    insert(&mut headers, "webhook-signature", &signed(&id, seconds, body.as_bytes(), key))?;
                }
                self.post(secrets, headers, body.into_bytes()).await
            }
        }
    }

    async fn post(&self, secrets: &ChannelSecrets, headers: HeaderMap, body: Vec<u8>) -> Result<(), SendError> {
        let url = secrets.url.as_ref().ok_or_else(|| "its address is not known".to_owned())?;
        let Posted { status, retry_after_s } = self.sender.post(url.expose(), headers, body).await?;
        match status {
            200..=299 => Ok(()),
            _ => Err(SendError {
                what: format!("it answered {status}"),
                wait_ms: retry_after_s.map(|seconds| seconds.saturating_mul(1_000)),
            }),
        }
    }
}

/// What is sent, as text: the body of a request, or an e-mail's subject and text.
#[must_use]
pub fn shown(channel: &str, way: &Way, id: NoticeId, message: &Message) -> String {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    match way {
        Way::Slack { .. } => text(encoding::slack(message)),
        Way::Webhook { .. } => text(encoding::event(message, &id.to_string(), channel)),
        Way::Smtp(_) => {
            let mail = encoding::mail(message);
            format!("Subject: {}\n\n{}", mail.subject, mail.text)
        }
    }
}

fn json_headers(media_type: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(media_type))])
}

fn insert(headers: &mut HeaderMap, name: &'static str, value: &str) -> Result<(), SendError> {
    let value = HeaderValue::from_str(value).map_err(|_| format!("{name} cannot be a header"))?;
    headers.insert(HeaderName::from_static(name), value);
    Ok(())
}
