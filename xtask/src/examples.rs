//! `cargo xtask examples`: runs the clients under `examples` against a server and a sandbox that it starts, as their readers do.
//!
//! One line for each says how it went. What a client prints is shown. Does not own the clients, nor what is around them on
//! this machine.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{fs, thread};

use anyhow::{Context, Result, bail};

use crate::arguments::Missing;
use crate::peers;
use crate::repository::{Repository, check, output, succeeds};
use crate::test::{Surroundings, prepare};

/// Where the packages of Node are, TypeScript's compiler among them.
const NODE_MODULES: &str = "QUITTANCE_STATEFUL_MOCK";

/// Prepares, builds and runs them all.
pub(crate) fn run(repository: &Repository) -> Result<()> {
    let surroundings = prepare(repository, Missing::Name)?;
    check(repository.cargo().args(["build", "--package", "quittance"]))?;
    batch(repository, &surroundings)
}

/// Runs them all with the binary that is built already. A language that is not there is named, and left out where it may be.
pub(crate) fn batch(repository: &Repository, surroundings: &Surroundings) -> Result<()> {
    println!("==> examples: build");
    check(repository.cargo().args(["build", "--package", "quittance", "--example", "client"]))?;
    let place = Place::open(repository)?;
    let mut failed = Vec::new();
    for (language, client) in clients(repository, surroundings) {
        let ran = match client {
            Ok(mut client) => place.tell(&mut client, language).and_then(|()| check(&mut client)),
            Err(error) if surroundings.may_skip() => {
                println!("skipped  {language}: {error:#}");
                continue;
            }
            Err(error) => Err(error),
        };
        match ran {
            Ok(()) => println!("ok       {language}"),
            Err(error) => {
                println!("FAILED   {language}: {error:#}");
                failed.push(language);
            }
        }
    }
    if !failed.is_empty() {
        bail!("examples failed: {}", failed.join(", "));
    }
    Ok(())
}

/// Each language, and how its client is started.
fn clients(repository: &Repository, surroundings: &Surroundings) -> [(&'static str, Result<Command>); 3] {
    [
        ("python", python(repository)),
        ("typescript", typescript(repository, surroundings)),
        ("rust", Ok(repository.command(repository.target.join("debug/examples/client")))),
    ]
}

/// Any Python will do: it uses nothing but the standard library.
fn python(repository: &Repository) -> Result<Command> {
    anyhow::ensure!(succeeds(repository.command("python3").arg("--version")), "python3 is not installed");
    let mut python = repository.command("python3");
    python.arg("examples/python/client.py").env("PYTHONDONTWRITEBYTECODE", "1");
    Ok(python)
}

/// Checked and translated by TypeScript's own compiler: the Node of today's Debian cannot read it by itself.
fn typescript(repository: &Repository, surroundings: &Surroundings) -> Result<Command> {
    let modules = surroundings.has(NODE_MODULES).context("node and its packages are not there")?;
    let folder = peers::folder(repository).join("examples");
    let mut compiler = repository.command("node");
    compiler.arg(modules.join("typescript/bin/tsc")).args(["--strict", "--target", "es2022", "--module", "commonjs"]);
    compiler.args(["--moduleDetection", "force", "--types", "node", "--typeRoots"]).arg(modules.join("@types"));
    check(compiler.arg("--outDir").arg(&folder).arg("examples/typescript/client.ts"))?;
    let mut node = repository.command("node");
    node.arg(folder.join("client.js"));
    Ok(node)
}

/// A server with a gateway, on a folder of its own.
struct Place {
    url: String,
    secret: String,
    _server: Running,
    _sandbox: Running,
    _folder: Folder,
}

impl Place {
    fn open(repository: &Repository) -> Result<Self> {
        let folder = Folder::make()?;
        let binary = repository.target.join("debug/quittance");
        let quittance = |words: &[&str]| {
            let mut command = repository.command(&binary);
            command.args(words).current_dir(&folder.0);
            command
        };
        let sandbox = Running::start(quittance(&["sandbox", "--listen", "127.0.0.1:0"]))?;
        let config = format!(
            "[gateways.sandbox]\nkind = \"stripe\"\napi_key = \"env:STRIPE_API_KEY\"\napi_base = \"{}\"\n",
            sandbox.url
        );
        fs::write(folder.0.join("quittance.toml"), config).context("write the configuration of the examples")?;
        let made =
            output(&mut quittance(&["key", "create", "--name", "examples", "--scopes", "write", "--format", "csv"]))?;
        let secret = made.lines().nth(1).and_then(|row| row.split(',').nth(1)).context("a new key has a secret")?;
        let mut serve = quittance(&["serve", "--listen", "127.0.0.1:0"]);
        serve.env("STRIPE_API_KEY", "sk_test_examples");
        let server = Running::start(serve)?;
        Ok(Self {
            url: server.url.clone(),
            secret: secret.to_owned(),
            _server: server,
            _sandbox: sandbox,
            _folder: folder,
        })
    }

    /// Tells a client where the server is, and under which name to order.
    fn tell(&self, client: &mut Command, language: &str) -> Result<()> {
        client.env("QUITTANCE_URL", &self.url).env("QUITTANCE_KEY", &self.secret);
        client.env("ORDER", format!("{language}-1001"));
        Ok(())
    }
}

/// A program that said where it listens. It ends with this.
struct Running {
    child: Child,
    url: String,
}

impl Running {
    fn start(mut command: Command) -> Result<Self> {
        let spawned = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut child = spawned.with_context(|| format!("start {command:?}"))?;
        let stdout = child.stdout.take().context("its output is piped")?;
        let mut running = Self { child, url: String::new() };
        let mut lines = BufReader::new(stdout).lines();
        let first = lines.next().transpose().context("read where it listens")?.unwrap_or_default();
        running.url = first.strip_prefix("listening on ").with_context(|| format!("it says {first:?}"))?.to_owned();
        // Nobody reads the rest, and a full pipe would stop it.
        thread::spawn(move || lines.for_each(drop));
        Ok(running)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder that goes with this.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("quittance-examples-{}", std::process::id()));
        fs::create_dir_all(&path).with_context(|| format!("create {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left there is in nobody's way.
        let _ = fs::remove_dir_all(Path::new(&self.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The guide, and the comment that stands before each block which is shown from a file.
    const GUIDE: &str = "docs/clients.md";
    const MARK: &str = "<!-- from ";

    /// A block without the indentation that all its lines have.
    fn unindented(text: &str) -> String {
        let filled = text.lines().filter(|line| !line.trim().is_empty());
        let margin = filled.map(|line| line.len() - line.trim_start().len()).min().unwrap_or_default();
        text.lines().map(|line| line.get(margin..).unwrap_or_default()).collect::<Vec<_>>().join("\n")
    }

    /// Whether a file has these lines, one after the other, at whatever indentation.
    fn holds(file: &str, block: &str) -> bool {
        let lines: Vec<&str> = file.lines().collect();
        let wanted = unindented(block);
        let count = wanted.lines().count();
        lines.windows(count).any(|window| unindented(&window.join("\n")) == wanted)
    }

    #[test]
    fn the_guide_shows_what_is_run() {
        let repository = Repository::open().unwrap();
        let guide = fs::read_to_string(repository.root.join(GUIDE)).unwrap();
        let mut blocks = 0;
        for part in guide.split(MARK).skip(1) {
            let (path, rest) = part.split_once(" -->\n```").unwrap();
            let block = rest.split_once('\n').unwrap().1.split("\n```").next().unwrap();
            let file = fs::read_to_string(repository.root.join(path)).unwrap();
            assert!(holds(&file, block), "{GUIDE} shows what {path} does not have:\n{block}");
            blocks += 1;
        }
        assert!(blocks > 3, "{blocks}");
        assert_eq!(
            guide.matches("\n```python").count()
                + guide.matches("\n```ts").count()
                + guide.matches("\n```rust").count(),
            blocks
        );
    }

    #[test]
    fn indentation_is_no_difference_and_words_are() {
        let file = "def a():\n    if b:\n        c()\n\n    d()\n";
        assert!(holds(file, "if b:\n    c()\n\nd()"));
        assert!(!holds(file, "if b:\n    d()"));
    }
}
