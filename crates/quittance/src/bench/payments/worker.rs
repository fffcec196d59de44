//! A contestant in a process of its own: does a turn whenever it is told to, and tells how long it took.
//!
//! The first line of its input is its place. After that a number has it prepare so much, `go` has it do that, and the end has it end. It answers each with a line
//! of JSON.

use super::batches::Batches;
use super::place::Place;
use super::{http_limit, server};
use crate::arguments::Global;
use crate::bench::measurement::peak_memory;
use crate::output;
use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use quittance_engine::engine::BATCH_MAX;
use serde::{Deserialize, Serialize};
use std::io::BufRead;
use std::process::ExitCode;

/// What a worker is told when it is started.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[arg(long, value_enum)]
    pub(super) role: Role,
    #[arg(long)]
    pub(super) books: u64,
    #[arg(long)]
    pub(super) connections: u32,
    #[arg(long)]
    pub(super) number: u64,
    #[arg(long)]
    pub(super) answer_bytes: usize,
}

/// Which contestant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// The engine, in batches
    Engine,
    /// The limit program, in batches
    Limit,
    /// The server
    Server,
    /// The limit program over HTTP: what waits is written in one transaction
    HttpLimit,
    /// The same with one commit for each request
    HttpSingle,
}

impl Role {
    /// As it is written on a command line.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Engine => "engine",
            Self::Limit => "limit",
            Self::Server => "server",
            Self::HttpLimit => "http-limit",
            Self::HttpSingle => "http-single",
        }
    }
}

/// What a worker tells.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Told {
    /// How long each batch took, in microseconds.
    pub(super) calls_us: Vec<u64>,
    /// How long all of them took, in microseconds, on the connection that took longest.
    pub(super) took_us: u64,
    /// The most memory the process has had.
    pub(super) rss_bytes: Option<u64>,
    /// Where HTTP is served, if it is.
    pub(super) address: Option<String>,
    /// The credential that is wanted there.
    pub(super) secret: Option<String>,
}

/// Work in turns.
pub(super) trait Turns {
    /// Prepares so much.
    ///
    /// # Errors
    ///
    /// When it cannot be.
    fn prepare(&mut self, count: u64) -> Result<()>;

    /// Does what was prepared.
    ///
    /// # Errors
    ///
    /// When that went wrong.
    fn go(&mut self) -> Result<Told>;
}

/// Works until the input ends.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> Result<ExitCode> {
    let mut place = String::new();
    std::io::stdin().lock().read_line(&mut place)?;
    let place = Place::from(place.trim_end());
    match arguments.role {
        Role::Engine => obey(&mut Batches::of_engine(arguments, &place)?, Told::default())?,
        Role::Limit => obey(&mut Batches::of_limit(arguments, &place)?, Told::default())?,
        Role::Server => server::run(arguments, &place, global)?,
        Role::HttpLimit => http_limit::run(arguments, &place, BATCH_MAX)?,
        Role::HttpSingle => http_limit::run(arguments, &place, 1)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Tells that it is ready, and does what is said on the input until that ends.
pub(super) fn obey(turns: &mut dyn Turns, ready: Told) -> Result<()> {
    say(&ready)?;
    for line in std::io::stdin().lock().lines() {
        let told = match line?.as_str() {
            "go" => Told { rss_bytes: peak_memory(), ..turns.go()? },
            count => {
                turns.prepare(count.parse().context("neither a number nor `go`")?)?;
                Told::default()
            }
        };
        say(&told)?;
    }
    Ok(())
}

fn say(told: &Told) -> Result<()> {
    Ok(output::write(&format!("{}\n", serde_json::to_string(told)?))?)
}
