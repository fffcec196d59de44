//! How the program ends: exit codes, and errors as people read them: what was wrong, where, and what would be right.

use quittance_server::backup::{BackupError, FileError, RestoreError, TakeError};
use quittance_server::config::ConfigErrors;
use quittance_server::operate::OperateError;
use quittance_server::reconcile::session::{Fault, SessionError};
use quittance_server::serve::ServeError;
use quittance_store::store::StoreError;
use std::error::Error;
use std::fmt;
use std::io::ErrorKind;
use std::process::ExitCode;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// As it should.
    Good,
    /// Something was found.
    Finding,
    /// The command line or the configuration is wrong, or names what is not there.
    Usage,
    /// Something outside cannot be reached, or is in use.
    Unreachable,
    /// It was stopped by a brake, or waits for somebody's approval.
    Braked,
    /// Something inside failed.
    Internal,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Good => 0,
            Exit::Finding => 1,
            Exit::Usage => 2,
            Exit::Unreachable => 3,
            Exit::Braked => 4,
            Exit::Internal => 5,
        })
    }
}

/// An error that knows how the program is to end, and what would be right.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    what: String,
    remedy: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    /// An error without a cause below it.
    pub(crate) fn new(exit: Exit, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { exit, what: what.into(), remedy: remedy.into(), source: None }
    }

    /// The same, because of `source`.
    pub(crate) fn because(self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: Some(source.into()), ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| source.as_ref() as &(dyn Error + 'static))
    }
}

/// Prints an error and says how the program ends.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    let (exit, remedy) = judge(error);
    eprintln!("error: {error:#}");
    if let Some(remedy) = remedy {
        eprintln!("  {remedy}");
    }
    exit.into()
}

const CHECK_CONFIG: &str = "`quittance check-config` names every mistake";

const fn judge_fault(fault: Fault) -> Exit {
    match fault {
        Fault::Asked => Exit::Usage,
        Fault::Outside | Fault::Lagging => Exit::Unreachable,
        Fault::Inside => Exit::Internal,
        Fault::Stopped => Exit::Braked,
    }
}

/// The first cause that is known decides.
fn judge(error: &anyhow::Error) -> (Exit, Option<String>) {
    for cause in error.chain() {
        if let Some(failure) = cause.downcast_ref::<Failure>() {
            return (failure.exit, Some(failure.remedy.clone()).filter(|remedy| !remedy.is_empty()));
        }
        if let Some(SessionError::Told { fault, remedy, .. }) = cause.downcast_ref() {
            return (judge_fault(*fault), Some(remedy.clone()).filter(|remedy| !remedy.is_empty()));
        }
        if let Some(error) = cause.downcast_ref::<ServeError>().and_then(judge_serve) {
            return error;
        }
        if let Some(error) = cause.downcast_ref::<OperateError>().and_then(judge_operate) {
            return error;
        }
        if let Some(error) = judge_backup(cause) {
            return error;
        }
        if cause.is::<ConfigErrors>() {
            return (Exit::Usage, Some(CHECK_CONFIG.to_owned()));
        }
        if let Some(error) = cause.downcast_ref::<StoreError>() {
            let (exit, remedy) = judge_store(error);
            return (exit, remedy.map(str::to_owned));
        }
    }
    (Exit::Internal, None)
}

/// What a server says of itself; what the store says below it is judged for every command alike.
fn judge_serve(error: &ServeError) -> Option<(Exit, Option<String>)> {
    match error {
        ServeError::Listen { .. } => {
            Some((Exit::Unreachable, Some("stop what listens there, or name another address with --listen".to_owned())))
        }
        ServeError::Gateway(_) => Some((Exit::Usage, Some("`quittance check-config` names the gateway".to_owned()))),
        ServeError::Tls(_) => Some((
            Exit::Usage,
            Some(
                "name a certificate and its own key, both in PEM, in [server.tls], and let this user read them"
                    .to_owned(),
            ),
        )),
        ServeError::Alone { .. } => Some((
            Exit::Usage,
            Some("leave --roles out, or share a PostgreSQL database with --database-url".to_owned()),
        )),
        ServeError::OneLane { .. } => Some((
            Exit::Usage,
            Some("leave --lanes out, or share a PostgreSQL database with --database-url".to_owned()),
        )),
        ServeError::Thread(_) | ServeError::Stopped { .. } => Some((Exit::Internal, None)),
        ServeError::Config(_) => Some((Exit::Usage, Some(CHECK_CONFIG.to_owned()))),
        ServeError::Open { .. } | ServeError::Recover(_) => None,
    }
}

fn judge_operate(error: &OperateError) -> Option<(Exit, Option<String>)> {
    match error {
        OperateError::Invalid(_) | OperateError::Conflict(_) => Some((Exit::Usage, None)),
        OperateError::Unavailable(_) => Some((Exit::Unreachable, Some("try again in a moment".to_owned()))),
        OperateError::Socket { .. } => {
            Some((Exit::Unreachable, Some("look whether the server is well, and try again".to_owned())))
        }
        OperateError::NotStored(_) => Some((Exit::Internal, None)),
        OperateError::Store { .. } => None,
    }
}

fn judge_backup(cause: &(dyn Error + 'static)) -> Option<(Exit, Option<String>)> {
    if let Some(error) = cause.downcast_ref::<BackupError>() {
        return judge_content(error);
    }
    // Those around it stand in its place, and have its cause as theirs.
    let file = match (cause.downcast_ref(), cause.downcast_ref()) {
        (Some(TakeError::File(file)), _) | (_, Some(RestoreError::File(file))) => Some(file),
        (_, Some(RestoreError::Unsound { .. })) => {
            let remedy = "take an earlier backup; with --keep-findings these books are restored as they are";
            return Some((Exit::Finding, Some(remedy.to_owned())));
        }
        _ => cause.downcast_ref::<FileError>(),
    };
    let (exit, remedy) = match file? {
        FileError::Exists { .. } => (Exit::Usage, "name a file that is not there yet"),
        FileError::Busy { .. } => (Exit::Unreachable, "wait for the other backup, or name another file"),
        FileError::File { source, .. } => match source.kind() {
            ErrorKind::NotFound => (Exit::Usage, "name a file that is there, or a folder for it"),
            ErrorKind::StorageFull => (Exit::Internal, "make room on the disk; nothing was lost"),
            _ => (Exit::Unreachable, "make it accessible for this user, or name another"),
        },
        FileError::Content { .. } => return None,
    };
    Some((exit, Some(remedy.to_owned())))
}

fn judge_content(error: &BackupError) -> Option<(Exit, Option<String>)> {
    let (exit, remedy) = match error {
        BackupError::NotABackup => (Exit::Usage, "name a file that `quittance backup --to` wrote"),
        BackupError::NewerFormat { .. } => (Exit::Usage, "use the version of quittance that wrote it, or a newer one"),
        BackupError::OtherSchema { .. } => (Exit::Usage, "restore it with the version of quittance that wrote it"),
        BackupError::Cut { .. } | BackupError::Damaged { .. } => {
            (Exit::Finding, "take another copy of this backup, or an earlier one")
        }
        BackupError::TooLong { .. } => (Exit::Internal, "report this: no row should be so long"),
        BackupError::Stream { source, .. } if source.kind() == ErrorKind::StorageFull => {
            (Exit::Internal, "make room on the disk; nothing was lost")
        }
        BackupError::Stream { .. } | BackupError::Store(_) => return None,
    };
    Some((exit, Some(remedy.to_owned())))
}

const fn judge_store(error: &StoreError) -> (Exit, Option<&'static str>) {
    match *error {
        StoreError::Missing { .. } => (
            Exit::Usage,
            Some("name the directory of a server with --data, or start one there: quittance serve --data DIR"),
        ),
        StoreError::NewerSchema { .. } => {
            (Exit::Usage, Some("use the version of quittance that wrote the data, or a newer one"))
        }
        StoreError::ReadOnly { .. } => {
            (Exit::Unreachable, Some("make the directory writable for this user, or name another with --data"))
        }
        StoreError::Locked { .. } => {
            (Exit::Unreachable, Some("stop the other process first; only one may write to a data directory"))
        }
        StoreError::Unreachable { .. } => {
            (Exit::Unreachable, Some("check host, port and network, and whether the database runs and listens there"))
        }
        StoreError::Unsuitable { remedy, .. } => (Exit::Unreachable, Some(remedy)),
        StoreError::WentBack { .. } => (
            Exit::Internal,
            Some(
                "what is missing was lost with a server: start again, and nothing is sent until what it had sent is found",
            ),
        ),
        StoreError::NotEmpty { .. } => {
            (Exit::Usage, Some("name another place, with nothing in it; what is there stays as it is"))
        }
        StoreError::KeyMissing { .. } => (
            Exit::Usage,
            Some(
                "put the key back into [encryption]; behind another one it only opens, and `key rotate-master` then replaces it",
            ),
        ),
        StoreError::KeyDiffers { .. } => {
            (Exit::Usage, Some("correct where the key of this id is read from; what is stored stays as it is"))
        }
        StoreError::Full { .. } => (Exit::Internal, Some("make room on the disk; nothing was lost")),
        StoreError::Corrupt { .. } => (
            Exit::Internal,
            Some("keep a copy of the directory as it is; `quittance verify` says what else is damaged"),
        ),
        StoreError::Conflict { .. }
        | StoreError::Stale { .. }
        | StoreError::Aborted { .. }
        | StoreError::CommitUnknown { .. }
        | StoreError::Failed { .. } => (Exit::Internal, None),
    }
}

#[cfg(test)]
mod tests {
    use super::{Exit, Failure, judge};
    use anyhow::{Context, anyhow};
    use quittance_store::store::StoreError;

    #[test]
    fn the_cause_that_is_known_decides_however_deep() {
        let locked: Result<(), _> = Err(StoreError::Locked { path: "d".into() });
        let error = locked.context("cannot serve").expect_err("locked");
        assert_eq!(judge(&error).0, Exit::Unreachable);
        let error =
            anyhow!(Failure::new(Exit::Usage, "no such tenant", "").because(StoreError::Full { operation: "x" }));
        assert_eq!(judge(&error), (Exit::Usage, None));
        assert_eq!(judge(&anyhow!("a bug")), (Exit::Internal, None));
    }
}
