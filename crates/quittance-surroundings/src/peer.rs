//! Programs by other hands that tests start: where each is, and what becomes of a test where it is not. Does not own
//! their set-up, which is `cargo xtask test`, nor how each is started.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::skip::skip;
use crate::variable;

/// A program that nobody here wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A Python with Stripe's official client, localstripe, reladiff, Beancount, schemathesis, and receivers of webhooks. Found: its
    /// executable.
    Python,
    /// stripe-stateful-mock, a stateful gateway for charges, and beside it what drives and judges a browser: playwright-core and
    /// axe-core. Found: the `node_modules` that hold them, for `NODE_PATH`; `node` itself is on the `PATH`.
    StatefulMock,
    /// stripe-mock, Stripe's own stateless server, which validates requests. Found: its executable. Its arguments have
    /// to name both addresses, `-http-addr` and `-https-addr`: a listener that is not named binds every interface.
    StripeMock,
    /// PostgreSQL 15 or newer. Found: the folder with its programs; [`Postgres`](crate::Postgres) starts a server.
    Postgres,
    /// hledger, which keeps double-entry books in text. Found: its executable.
    Hledger,
    /// Redis 6 or newer. Found: the executable of its server; [`Redis`](crate::Redis) starts it.
    Redis,
    /// promtool, which judges metrics as Prometheus takes them. Found: its executable.
    Promtool,
    /// Chromium, which shows pages to people. Found: its executable.
    Browser,
}

/// What is known of a peer before anybody looks.
struct Profile {
    variable: &'static str,
    what: &'static str,
    remedy: &'static str,
    /// Whether a test may go without it even where nothing may be missing.
    is_optional: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Found(PathBuf),
    LeftOut(String),
    Missing(String),
}

impl Peer {
    /// Where it is. Without it, it is noted that `subject`, what a test is about, was left out.
    ///
    /// # Panics
    /// When it is not there and nothing may be missing (`QUITTANCE_REQUIRE_PEERS` is `1`), unless it is optional.
    #[must_use]
    pub fn find(self, subject: &str) -> Option<PathBuf> {
        let is_required = variable("QUITTANCE_REQUIRE_PEERS").is_some_and(|value| value == "1");
        match self.judge(subject, variable(self.profile().variable), is_required) {
            Verdict::Found(path) => Some(path),
            Verdict::LeftOut(line) => {
                skip(&line);
                None
            }
            Verdict::Missing(line) => panic!("nothing may be left out here, and {line}"),
        }
    }

    fn judge(self, subject: &str, named: Option<OsString>, is_required: bool) -> Verdict {
        let Profile { variable, what, remedy, is_optional } = self.profile();
        if let Some(path) = named {
            return Verdict::Found(path.into());
        }
        let line = format!("{subject}: {variable} names no {what}; {remedy}");
        match (is_optional, is_required) {
            // The report of `cargo xtask test` tells by the first word that this may be absent anywhere.
            (true, _) => Verdict::LeftOut(format!("optional: {line}")),
            (false, false) => Verdict::LeftOut(line),
            (false, true) => Verdict::Missing(line),
        }
    }

    const fn profile(self) -> Profile {
        match self {
            Self::Python => Profile {
                variable: "QUITTANCE_PYTHON",
                what: "python with stripe, localstripe, reladiff, beancount, schemathesis, standardwebhooks and svix",
                remedy: "`cargo xtask test` sets it",
                is_optional: false,
            },
            Self::StatefulMock => Profile {
                variable: "QUITTANCE_STATEFUL_MOCK",
                what: "node_modules with stripe-stateful-mock, playwright-core and axe-core",
                remedy: "`cargo xtask test` sets it where node and npm are installed",
                is_optional: false,
            },
            Self::StripeMock => Profile {
                variable: "QUITTANCE_STRIPE_MOCK",
                what: "stripe-mock",
                remedy: "`cargo xtask test` sets it where Go is installed and its module proxy answers",
                is_optional: true,
            },
            Self::Postgres => Profile {
                variable: "QUITTANCE_POSTGRES",
                what: "folder with the programs of PostgreSQL",
                remedy: "`cargo xtask test` sets it where PostgreSQL 15 or newer is installed",
                is_optional: false,
            },
            Self::Hledger => Profile {
                variable: "QUITTANCE_HLEDGER",
                what: "hledger",
                remedy: "`cargo xtask test` sets it where hledger is installed",
                is_optional: false,
            },
            Self::Redis => Profile {
                variable: "QUITTANCE_REDIS",
                what: "redis-server",
                remedy: "`cargo xtask test` sets it where Redis 6 or newer is installed",
                is_optional: false,
            },
            Self::Promtool => Profile {
                variable: "QUITTANCE_PROMTOOL",
                what: "promtool",
                remedy: "install prometheus, or run `cargo xtask test` where apt-get can download it",
                is_optional: true,
            },
            Self::Browser => Profile {
                variable: "QUITTANCE_BROWSER",
                what: "Chromium",
                remedy: "`cargo xtask test` sets it where Chromium is installed",
                is_optional: false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Peer; 8] = [
        Peer::Python,
        Peer::StatefulMock,
        Peer::StripeMock,
        Peer::Postgres,
        Peer::Hledger,
        Peer::Redis,
        Peer::Promtool,
        Peer::Browser,
    ];

    #[test]
    fn what_is_named_is_found_wherever_it_is() {
        for peer in ALL {
            for is_required in [false, true] {
                let verdict = peer.judge("a test", Some("somewhere".into()), is_required);
                assert_eq!(verdict, Verdict::Found("somewhere".into()));
            }
        }
    }

    #[test]
    fn what_is_not_named_is_left_out_by_name() {
        for peer in ALL {
            let Verdict::LeftOut(line) = peer.judge("a test", None, false) else { panic!("{peer:?}") };
            let line = line.strip_prefix("optional: ").unwrap_or(&line);
            assert!(line.starts_with("a test: QUITTANCE_") && line.contains("cargo xtask test"), "{line}");
        }
    }

    #[test]
    fn only_what_depends_on_go_may_be_missing_where_nothing_may() {
        let is_missing = |peer: Peer| matches!(peer.judge("a test", None, true), Verdict::Missing(_));
        assert_eq!(ALL.map(is_missing), [true, true, false, true, true, true, false, true]);
    }
}
