//! The side of the process that measures: starts workers, and has them do their turns.

use super::place::Place;
use super::worker::{Role, Told};
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// What a worker is to be.
pub(super) struct Contestant<'a> {
    pub(super) role: Role,
    pub(super) place: &'a Place,
    pub(super) books: u64,
    pub(super) connections: u32,
    /// Number among the workers of one place; the first makes the books.
    pub(super) number: u64,
    /// For the limit of HTTP: how long an answer is.
    pub(super) answer_bytes: usize,
    /// For the server: its configuration.
    pub(super) config: Option<&'a Path>,
}

/// A contestant at work. Ends with this.
pub(super) struct Worker {
    process: Child,
    /// None once it was told to end.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Worker {
    /// Starts it, and waits until its books are open.
    pub(super) fn start(contestant: &Contestant<'_>) -> Result<(Self, Told)> {
        let program = std::env::current_exe().context("this program is not there any more")?;
        let mut command = Command::new(program);
        command.args(["bench", "worker", "--role", contestant.role.name()]);
        for (name, value) in [
            ("--books", contestant.books),
            ("--connections", contestant.connections.into()),
            ("--number", contestant.number),
            ("--answer-bytes", contestant.answer_bytes as u64),
        ] {
            command.arg(name).arg(value.to_string());
        }
        if let Some(config) = contestant.config {
            command.arg("--config").arg(config);
        }
        let mut process =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("a worker cannot be started")?;
        let input = process.stdin.take();
        let output = process.stdout.take().context("a worker without an output")?;
        let mut worker = Self { process, input, output: BufReader::new(output) };
        worker.say(&contestant.place.text())?;
        let told = worker.hear()?;
        Ok((worker, told))
    }

    /// Has it prepare so many payments, or batches of them.
    pub(super) fn prepare(&mut self, count: u64) -> Result<()> {
        self.say(&count.to_string())?;
        self.hear().map(|_| ())
    }

    /// Has it do what it prepared. [`Worker::hear`] tells what came of it.
    pub(super) fn go(&mut self) -> Result<()> {
        self.say("go")
    }

    /// What it has to tell.
    pub(super) fn hear(&mut self) -> Result<Told> {
        let mut line = String::new();
        self.output.read_line(&mut line).context("a worker cannot be heard")?;
        if line.is_empty() {
            bail!("a worker ended: {}", self.process.wait()?);
        }
        serde_json::from_str(&line).with_context(|| format!("a worker said {line:?}"))
    }

    fn say(&mut self, line: &str) -> Result<()> {
        let input = self.input.as_mut().context("the worker was told to end")?;
        writeln!(input, "{line}").and_then(|()| input.flush()).context("a worker hears nothing any more")
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // The end of its input is the end of its work.
        drop(self.input.take());
        let _ = self.process.wait();
    }
}

/// What the turns of a contestant came to.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// How long each took.
    pub(super) walls: Vec<Duration>,
    /// How long each call took.
    pub(super) calls: Vec<Duration>,
    /// The most memory it had, in bytes.
    pub(super) rss_bytes: Option<u64>,
}

impl Turns {
    /// How long all of them took.
    pub(super) fn took(&self) -> Duration {
        self.walls.iter().sum()
    }

    /// How fast the last tenth was, against the first.
    #[expect(clippy::float_arithmetic, reason = "rates of a benchmark are no money")]
    pub(super) fn last_to_first(&self) -> f64 {
        let tenth = self.walls.len().div_ceil(10);
        let took = |walls: &[Duration]| walls.iter().sum::<Duration>().as_secs_f64();
        took(&self.walls[..tenth]) / took(&self.walls[self.walls.len() - tenth..]).max(1e-9)
    }
}
