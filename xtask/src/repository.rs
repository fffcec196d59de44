//! Where the repository is, which files belong to it, and how programs are started in it.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use cargo_metadata::{Metadata, MetadataCommand};

/// A checked-out copy of the repository.
pub(crate) struct Repository {
    /// The folder that holds the workspace's `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Where cargo puts what it builds, wherever that is configured.
    pub(crate) target: PathBuf,
}

impl Repository {
    /// Finds the repository that this program was built from.
    pub(crate) fn open() -> Result<Self> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest.parent().context("the folder of xtask has no parent")?.to_path_buf();
        let metadata = MetadataCommand::new()
            .manifest_path(root.join("Cargo.toml"))
            .no_deps()
            .exec()
            .context("read the workspace with `cargo metadata`")?;
        Ok(Self { root, target: metadata.target_directory.into_std_path_buf() })
    }

    /// A command that runs in the root, reads no input, and leaves its output on the screen.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root).stdin(Stdio::null());
        command
    }

    /// The cargo that runs this program, so that every step has one toolchain.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = self.command(variable("CARGO").unwrap_or_else(|| "cargo".to_owned()));
        if variable("CI").is_some() {
            command.env("CARGO_INCREMENTAL", "0");
        }
        command
    }

    /// The files that are committed or would be: tracked, or new and not ignored; relative to the root, sorted.
    pub(crate) fn files(&self) -> Result<Vec<String>> {
        let mut git = self.command("git");
        git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let listing = output(&mut git).context("list the files of the repository")?;
        let mut files: Vec<String> = listing
            .split('\0')
            .filter(|path| !path.is_empty() && self.root.join(path).is_file())
            .map(str::to_owned)
            .collect();
        files.sort();
        files.dedup();
        Ok(files)
    }

    /// Packages and their resolved dependencies, as built on this machine's platform.
    pub(crate) fn metadata(&self) -> Result<Metadata> {
        let version = output(self.command("rustc").arg("-vV")).context("ask rustc for its host platform")?;
        let host = version.lines().find_map(|line| line.strip_prefix("host: "));
        let host = host.context("`rustc -vV` names no host platform")?;
        MetadataCommand::new()
            .manifest_path(self.root.join("Cargo.toml"))
            .other_options(vec!["--filter-platform".to_owned(), host.to_owned()])
            .exec()
            .context("resolve the workspace with `cargo metadata`")
    }
}

/// An environment variable, when it is set to something.
#[expect(clippy::disallowed_methods, reason = "the one place where xtask reads its environment")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Runs to the end; a status other than success is an error that shows the command.
pub(crate) fn check(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("start {}", shown(command)))?;
    if !status.success() {
        bail!("{} failed: {status}", shown(command));
    }
    Ok(())
}

/// Like [`check`], but a program that has not closed its output after so long is killed, which is an error too.
pub(crate) fn check_within(limit: Duration, command: &mut Command) -> Result<()> {
    let spawned = command.stdout(Stdio::piped()).spawn();
    let mut child = spawned.with_context(|| format!("start {}", shown(command)))?;
    let mut printed = child.stdout.take().context("its output is not piped")?;
    let (sender, is_over) = sync_channel(1);
    thread::spawn(move || {
        // What cannot be shown is no reason to fail, and after the limit nobody listens.
        let _ = io::copy(&mut printed, &mut io::stdout());
        let _ = sender.send(());
    });
    if is_over.recv_timeout(limit).is_err() {
        child.kill().with_context(|| format!("kill {}", shown(command)))?;
        child.wait().with_context(|| format!("end {}", shown(command)))?;
        bail!("{} took longer than {} s", shown(command), limit.as_secs());
    }
    let status = child.wait().with_context(|| format!("end {}", shown(command)))?;
    if !status.success() {
        bail!("{} failed: {status}", shown(command));
    }
    Ok(())
}

/// Runs to the end and returns what was printed.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("start {}", shown(command)))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        bail!("{} failed: {}: {}", shown(command), output.status, complaint.trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("read what {} printed", shown(command)))
}

/// Whether the command can be started and ends well; what it prints is dropped.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

fn shown(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|argument| argument.to_string_lossy().into_owned()));
    format!("`{}`", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn what_takes_too_long_is_killed_and_said() {
        let error = check_within(Duration::ZERO, &mut shell("exec sleep 600")).unwrap_err().to_string();
        assert_eq!(error, "`sh -c exec sleep 600` took longer than 0 s");
    }

    #[test]
    fn within_its_limit_a_program_ends_as_it_ends() {
        let limit = Duration::from_secs(60);
        assert!(check_within(limit, &mut shell("exit 0")).is_ok());
        let error = check_within(limit, &mut shell("exit 3")).unwrap_err().to_string();
        assert!(error.starts_with("`sh -c exit 3` failed: "), "{error}");
    }
}
