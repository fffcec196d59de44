//! From text and environment to a checked configuration.

use super::errors::{ConfigErrors, Mistakes, Origin};
use super::section::{Env, Section, line_of, unknown_remedy};
use super::{Config, DEFAULT_FILE, Gateway, Server, System, Webhooks};
use super::{alerts, brakes, encryption, front, gateway, pairs, systems, truth};
use crate::caps;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Errors of the syntax that are reported; who makes more learns nothing from the rest.
const SYNTAX_ERRORS_MAX: usize = 50;

/// Longest body that may be configured, in bytes.
const BODY_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Most lanes: more would only wait for each other's books.
const LANES_MAX: u64 = 8;

/// The process's environment: the only place that reads it.
#[expect(clippy::disallowed_methods, reason = "the configuration is the named place that reads the environment")]
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

pub(super) fn load(path: Option<&Path>) -> Result<Config, ConfigErrors> {
    read(path, &|text| from_text(text, &variable))
}

/// Only what is said of keys.
pub(super) fn load_keys(path: Option<&Path>) -> Result<Config, ConfigErrors> {
    read(path, &|text| {
        let mut mistakes = Mistakes::default();
        let (document, _) = DeTable::parse_recoverable(text);
        let root = Root { table: document.get_ref(), text, env: &variable };
        let encryption = encryption::parse(&root.section("encryption", &mut mistakes), &mut mistakes);
        mistakes.into_result(Config { encryption, ..Config::default() }, None)
    })
}

fn read(path: Option<&Path>, parse: &dyn Fn(&str) -> Result<Config, ConfigErrors>) -> Result<Config, ConfigErrors> {
    let file = path.unwrap_or_else(|| Path::new(DEFAULT_FILE));
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound && path.is_none() => {
            return parse("");
        }
        Err(error) => {
            let mut mistakes = Mistakes::default();
            let remedy = "name a readable file with --config";
            mistakes.add(Origin::File, "", format!("cannot be read ({error})"), remedy);
            return mistakes.into_result(Config::default(), Some(file.to_owned()));
        }
    };
    match parse(&text) {
        Ok(config) => Ok(Config { file: Some(file.to_owned()), ..config }),
        Err(errors) => Err(ConfigErrors { file: Some(file.to_owned()), ..errors }),
    }
}

pub(super) fn from_text(text: &str, env: &Env<'_>) -> Result<Config, ConfigErrors> {
    let mut mistakes = Mistakes::default();
    let (document, problems) = DeTable::parse_recoverable(text);
    for problem in problems.into_iter().take(SYNTAX_ERRORS_MAX) {
        // Only the message: the parser's own report would repeat the line, which may hold a secret.
        let origin = problem.span().map_or(Origin::File, |span| Origin::Line(line_of(text, span.start)));
        let what = problem.message().lines().next().unwrap_or("not TOML").to_owned();
        mistakes.add(origin, "", what, "see https://toml.io for how to write it");
    }
    let root = Root { table: document.get_ref(), text, env };
    root.refuse_unknown(&mut mistakes);
    let systems = root.systems(&mut mistakes);
    let pairs = pairs::parse(root.tables("pairs", &mut mistakes), &systems, &mut mistakes);
    let server = server(&root.section("server", &mut mistakes), &mut mistakes);
    let config = Config {
        gateways: root.gateways(server.lease_ms, &mut mistakes),
        server,
        encryption: encryption::parse(&root.section("encryption", &mut mistakes), &mut mistakes),
        brakes: brakes::parse(&root.section("brakes", &mut mistakes), &mut mistakes),
        webhooks: webhooks(&root.section("webhooks", &mut mistakes), &mut mistakes),
        systems,
        pairs,
        truths: truth::parse(&root.section("truth", &mut mistakes), &mut mistakes),
        alerts: alerts::parse(root.tables("alerts", &mut mistakes), &mut mistakes),
        file: None,
    };
    // What is no table was said to be none.
    alerts::check_subjects(&config, root.tables("alerts", &mut Mistakes::default()), &mut mistakes);
    gateway::check_endpoints(&config.gateways, &mut mistakes);
    mistakes.into_result(config, None)
}

struct Root<'a> {
    table: &'a DeTable<'a>,
    text: &'a str,
    env: &'a Env<'a>,
}

impl<'a> Root<'a> {
    fn refuse_unknown(&self, mistakes: &mut Mistakes) {
        let known = ["server", "gateways", "brakes", "webhooks", "systems", "pairs", "alerts", "truth", "encryption"];
        for (key, _) in self.table {
            let name: &str = key.get_ref();
            if !known.contains(&name) {
                let origin = Origin::Line(line_of(self.text, key.span().start));
                mistakes.add(origin, name, "unknown section", unknown_remedy(name, &known));
            }
        }
    }

    fn section(&self, name: &str, mistakes: &mut Mistakes) -> Section<'a> {
        let table = self.table.get(name).and_then(|value| self.table_of(name, value, mistakes));
        Section { name: name.to_owned(), table, text: self.text, env: self.env, begins_at: 0 }
    }

    fn table_of(
        &self,
        name: &str,
        value: &'a Spanned<DeValue<'a>>,
        mistakes: &mut Mistakes,
    ) -> Option<&'a DeTable<'a>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            let origin = Origin::Line(line_of(self.text, value.span().start));
            mistakes.add(origin, name, "not a section", format!("write [{name}] on a line of its own"));
        }
        table
    }

    /// The tables of a section, each with where it is.
    fn tables(&self, name: &str, mistakes: &mut Mistakes) -> Vec<(String, Section<'a>)> {
        let section = self.section(name, mistakes);
        let mut tables = Vec::new();
        for (key, value) in section.table.into_iter().flatten() {
            let full_name = format!("{name}.{}", key.get_ref());
            let Some(table) = self.table_of(&full_name, value, mistakes) else { continue };
            let begins_at = key.span().start;
            let section = Section { name: full_name, table: Some(table), text: self.text, env: self.env, begins_at };
            tables.push((key.get_ref().to_string(), section));
        }
        tables
    }

    fn systems(&self, mistakes: &mut Mistakes) -> BTreeMap<String, System> {
        let tables = self.tables("systems", mistakes);
        let parse = |(name, section): (String, Section<'_>)| {
            Some((name, systems::parse(&section, &section.origin(), mistakes)?))
        };
        tables.into_iter().filter_map(parse).collect()
    }

    fn gateways(&self, lease_ms: u64, mistakes: &mut Mistakes) -> BTreeMap<String, Gateway> {
        let mut gateways = BTreeMap::new();
        let section = self.section("gateways", mistakes);
        for (key, value) in section.table.into_iter().flatten() {
            let name: &str = key.get_ref();
            let origin = Origin::Line(line_of(self.text, key.span().start));
            let full_name = format!("gateways.{name}");
            gateway::check_name(name, &full_name, &origin, mistakes);
            let Some(table) = self.table_of(&full_name, value, mistakes) else { continue };
            let section = Section { name: full_name, table: Some(table), text: self.text, env: self.env, begins_at: 0 };
            if let Some(gateway) = gateway::parse(&section, lease_ms, &origin, mistakes) {
                gateways.insert(name.to_owned(), gateway);
            }
        }
        gateways
    }
}

fn webhooks(section: &Section<'_>, mistakes: &mut Mistakes) -> Webhooks {
    const KEY: &str = "allow_private_addresses";
    section.refuse_unknown(&[KEY], mistakes);
    Webhooks { allow_private_addresses: section.flag(KEY, mistakes) }
}

const SERVER_KEYS: [&str; 11] = [
    "listen",
    "wait_ms",
    "wait_max_ms",
    "body_bytes_max",
    "queue_entries_max",
    "queue_age_max_ms",
    "connections_max",
    "lease_ms",
    "lanes",
    "requests_per_key_max",
    "requests_per_key_per_second_max",
];

/// A shorter lease ends while a healthy process waits for its database; under a longer one nobody would take up what a
/// dead one held.
const LEASES_MS: std::ops::RangeInclusive<u64> = 2_000..=600_000;

fn server(section: &Section<'_>, mistakes: &mut Mistakes) -> Server {
    section.refuse_unknown(&[&SERVER_KEYS[..], &front::KEYS].concat(), mistakes);
    let default = Server::default();
    let mut listen = default.listen;
    if let Some(found) = section.text("listen", mistakes) {
        match found.value.parse() {
            Ok(address) => listen = address,
            Err(_) => {
                let remedy = "write an IP address and a port, as \"127.0.0.1:8080\" or \"[::]:8080\"";
                mistakes.add(found.origin, &section.setting("listen"), "not an address", remedy);
            }
        }
    }
    let mut number = |key, default, range| section.number(key, default, range, mistakes);
    let wait = number("wait_ms", default.wait_ms, 0..=600_000);
    let wait_max = number("wait_max_ms", default.wait_max_ms.max(wait.value), 0..=600_000);
    let body = number("body_bytes_max", default.body_bytes_max as u64, 1_024..=BODY_BYTES_MAX);
    let entries = number("queue_entries_max", default.queue_entries_max as u64, 1..=1_000_000);
    let age = number("queue_age_max_ms", default.queue_age_max_ms, 1..=600_000);
    let connections = number("connections_max", default.connections_max as u64, 1..=1_000_000);
    let lease = number("lease_ms", default.lease_ms, LEASES_MS);
    // 0 stands for what is not said, and cannot be written.
    let lanes = number("lanes", 0, 1..=LANES_MAX);
    let in_flight = number("requests_per_key_max", default.caps.in_flight_max as u64, 1..=1_000_000);
    let rate = default.caps.per_second_max.map_or(0, u64::from);
    let rate = number("requests_per_key_per_second_max", rate, 0..=1_000_000).value as u32;
    if wait.value > wait_max.value {
        let what = format!("{} is less than wait_ms, which is {}", wait_max.value, wait.value);
        mistakes.add(wait_max.origin, &section.setting("wait_max_ms"), what, "raise it, or lower wait_ms");
    }
    Server {
        listen,
        wait_ms: wait.value,
        wait_max_ms: wait_max.value,
        // Ranges above fit a usize of 32 bits.
        body_bytes_max: body.value as usize,
        queue_entries_max: entries.value as usize,
        queue_age_max_ms: age.value,
        connections_max: connections.value as usize,
        front: front::parse(section, connections.value as usize, mistakes),
        lease_ms: lease.value,
        lanes: (lanes.value > 0).then_some(lanes.value as usize),
        caps: caps::Limits { in_flight_max: in_flight.value as usize, per_second_max: (rate > 0).then_some(rate) },
    }
}
