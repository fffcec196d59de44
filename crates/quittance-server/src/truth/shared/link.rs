//! The connection to Redis: one for all, over which questions go out and over which is heard what others say.
//!
//! Whoever asks never waits for a connection to be made: where there is none, Redis is away. What fails again and again is left
//! alone for a while. Does not own when a connection is made anew, nor what is asked.

use super::names::Names;
use super::scripts::PULSE;
use crate::clock;
use crate::truth::backoff::Backoff;
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, FromRedisValue, IntoConnectionInfo, Pipeline, ProtocolVersion, PushInfo,
    PushKind, RedisError, Value,
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// How long an answer of Redis is waited for.
pub(super) const REPLY: Duration = Duration::from_millis(250);

/// How long a connection may take to be made, with TLS and password.
const CONNECT: Duration = Duration::from_secs(3);

/// How long what a pulse writes is kept at most, in milliseconds.
const PULSE_MS: &[u8] = b"10000";

/// What this process reaches Redis by.
pub(super) struct Link {
    client: Client,
    /// Host and port, for people.
    pub(super) shown: String,
    line: Mutex<Option<Line>>,
    backoff: Backoff,
}

/// A connection, and whose names count over it.
#[derive(Clone)]
pub(super) struct Line {
    connection: MultiplexedConnection,
    pub(super) names: Names,
    /// Rings when it is lost.
    pub(super) lost: Arc<Notify>,
}

/// Why Redis cannot be used. Never holds the password.
#[derive(Debug, thiserror::Error)]
pub(super) enum LinkError {
    #[error("it cannot be reached")]
    Unreachable(#[source] RedisError),
    #[error("no connection was made in time")]
    TooSlow,
    #[error("it does not say which start of which Redis it is (INFO server)")]
    Nameless,
    #[error("it does not do what is asked of it")]
    Unusable(#[source] RedisError),
}

/// The client of an address; none where it is none of a Redis.
pub(super) fn client(address: &str) -> Option<Client> {
    let scheme_is_known = ["redis://", "rediss://"].iter().any(|scheme| address.starts_with(scheme));
    // What stands behind a `#` would switch the verification of certificates off.
    if !scheme_is_known || address.contains('#') {
        return None;
    }
    let info = address.into_connection_info().ok()?;
    // What others say comes over the same connection, which RESP2 does not know.
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    Client::open(info.set_redis_settings(settings)).ok()
}

impl Link {
    pub(super) fn new(client: Client) -> Self {
        let shown = client.get_connection_info().addr().to_string();
        Self { client, shown, line: Mutex::default(), backoff: Backoff::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Line>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection, where there is one.
    pub(super) fn line(&self) -> Option<Line> {
        self.lock().clone()
    }

    /// From now on this is the connection, or there is none.
    pub(super) fn set(&self, line: Option<Line>) {
        if line.is_some() {
            self.backoff.is_well();
        }
        *self.lock() = line;
    }

    /// Makes a connection over which `hear` is told each message of the channel. It counts once it is set.
    pub(super) async fn connect(
        &self,
        prefix: &str,
        channel: &str,
        hear: impl Fn(&[u8]) + Send + Sync + 'static,
    ) -> Result<Line, LinkError> {
        let lost = Arc::new(Notify::new());
        let bell = Arc::clone(&lost);
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(REPLY))
            .set_push_sender(move |push: PushInfo| -> Result<(), redis::aio::SendError> {
                match (push.kind, push.data.get(1)) {
                    (PushKind::Message, Some(Value::BulkString(message))) => hear(message),
                    (PushKind::Disconnection | PushKind::Unsubscribe, _) => bell.notify_one(),
                    _ => {}
                }
                Ok(())
            });
        let connecting = async {
            let mut connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
            let told: String = redis::cmd("INFO").arg("server").query_async(&mut connection).await?;
            connection.subscribe(channel).await?;
            Ok((connection, told))
        };
        let connecting = async {
            let (mut connection, told) = connecting.await.map_err(LinkError::Unreachable)?;
            let names = Names::new(prefix, run_of(&told).ok_or(LinkError::Nameless)?);
            pulse(&names).query_async::<Value>(&mut connection).await.map_err(LinkError::Unusable)?;
            Ok(Line { connection, names, lost })
        };
        tokio::time::timeout(CONNECT, connecting).await.map_err(|_| LinkError::TooSlow)?
    }

    /// Asks over a connection. None where no answer came in time, or none that can be used.
    pub(super) async fn ask<T: FromRedisValue>(&self, line: &Line, command: &Cmd) -> Option<T> {
        if !self.backoff.may_ask(clock::monotonic()) {
            return None;
        }
        self.insist(line, command).await
    }

    /// The same, whatever it did last: what has begun there is to be ended.
    pub(super) async fn insist<T: FromRedisValue>(&self, line: &Line, command: &Cmd) -> Option<T> {
        let mut connection = line.connection.clone();
        self.judged(line, async move { command.query_async(&mut connection).await }).await
    }

    /// The same with several commands, one after another.
    pub(super) async fn ask_all(&self, line: &Line, commands: &Pipeline) -> Option<Vec<i64>> {
        if !self.backoff.may_ask(clock::monotonic()) {
            return None;
        }
        let mut connection = line.connection.clone();
        self.judged(line, async move { commands.query_async(&mut connection).await }).await
    }

    /// Whether it does what is asked of it, asked whatever it did last.
    pub(super) async fn is_usable(&self, line: &Line) -> bool {
        self.insist::<Value>(line, &pulse(&line.names)).await.is_some()
    }

    async fn judged<T>(&self, line: &Line, asking: impl Future<Output = Result<T, RedisError>>) -> Option<T> {
        // The connection has a limit of its own; what it does not cover must not take longer either.
        match tokio::time::timeout(REPLY, asking).await {
            Ok(Ok(answer)) => {
                self.backoff.is_well();
                return Some(answer);
            }
            Ok(Err(error)) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "Redis did not answer as it should");
                if error.is_unrecoverable_error() && !error.is_timeout() {
                    line.lost.notify_one();
                }
            }
            Err(_) => tracing::debug!("Redis did not answer in time"),
        }
        self.backoff.failed(clock::monotonic());
        None
    }
}

/// Which start of which Redis it is, as `INFO server` tells.
fn run_of(told: &str) -> Option<&str> {
    let run = told.lines().find_map(|line| line.strip_prefix("run_id:")).map(str::trim);
    run.filter(|run| !run.is_empty() && run.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// What finds out whether Redis does all that is asked of it. What answers a `PING` may refuse to write, or to run scripts.
fn pulse(names: &Names) -> Cmd {
    let name = names.pulse();
    script(PULSE, &[&name], &[PULSE_MS, name.as_bytes()])
}

/// A script with its keys and arguments, as it is sent.
pub(super) fn script(code: &str, keys: &[&str], arguments: &[&[u8]]) -> Cmd {
    let mut command = redis::cmd("EVAL");
    command.arg(code).arg(keys.len());
    keys.iter().for_each(|key| {
        command.arg(*key);
    });
    arguments.iter().for_each(|argument| {
        command.arg(*argument);
    });
    command
}

#[cfg(test)]
mod tests {
    use super::client;

    #[test]
    fn only_the_address_of_a_redis_is_one() {
        for good in ["redis://127.0.0.1:1", "rediss://user:secret@cache.internal/2", "redis://:secret@[::1]:6379"] {
            assert!(client(good).is_some(), "{good}");
        }
        for bad in
            ["", "redis", "redis:", "http://127.0.0.1", "redis://", "unix:///run/redis", "rediss://cache/#insecure"]
        {
            assert!(client(bad).is_none(), "{bad}");
        }
    }
}
