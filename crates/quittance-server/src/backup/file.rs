//! The file of a backup: written aside, made durable, and only then given its name; and opened whatever its compression.

use super::FileError;
use quittance_store::backup::{BackupError, BackupInput, Compression, Prefix, Summary};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{BufReader, BufWriter, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// What an unfinished backup has behind its name.
const UNFINISHED: &str = ".part";

/// Bytes that are read and written at once.
const BUFFER_BYTES: usize = 256 * 1024;

/// The level that costs about as much time as reading the rows.
const ZSTD_LEVEL: i32 = 3;

/// The largest window that a file may ask a reader to hold: 8 MiB, as levels up to 19 use.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// Any backup that is read.
pub(super) type Input = BackupInput<Box<dyn Read + Send>>;

/// Writes a file under another name, for the owner's eyes only, and gives it its own when it is whole and durable.
///
/// # Errors
///
/// [`FileError`]; nothing is there under its name then, and an unfinished file is taken away.
pub(super) fn write(
    path: &Path,
    compression: Compression,
    body: impl FnOnce(&mut dyn Write) -> Result<Summary, BackupError>,
) -> Result<(Summary, u64), FileError> {
    if fs::symlink_metadata(path).is_ok() {
        return Err(FileError::Exists { path: path.to_owned() });
    }
    let part = unfinished(path);
    let mut file = create(&part)?;
    let written = fill(&mut file, &part, compression, body).and_then(|summary| {
        let bytes = file.metadata().map_err(|source| FileError::file("look at", &part, source))?.len();
        fs::rename(&part, path).map_err(|source| FileError::file("give its name to", path, source))?;
        Ok((summary, bytes))
    });
    let (summary, bytes) = written.inspect_err(|_| {
        // It is locked, so it is ours; where it cannot be removed, the next one begins it anew.
        let _ = fs::remove_file(&part);
    })?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|source| FileError::file("make durable", folder, source))?;
    Ok((summary, bytes))
}

fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(UNFINISHED);
    name.into()
}

/// An empty file that nobody else writes. What a backup that died left there is begun anew.
fn create(part: &Path) -> Result<File, FileError> {
    let failed = |source| FileError::file("create", part, source);
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(part).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(FileError::Busy { path: part.to_owned() }),
        Err(TryLockError::Error(source)) => return Err(FileError::file("lock", part, source)),
    }
    file.set_permissions(fs::Permissions::from_mode(0o600)).and_then(|()| file.set_len(0)).map_err(failed)?;
    Ok(file)
}

fn fill(
    file: &mut File,
    part: &Path,
    compression: Compression,
    body: impl FnOnce(&mut dyn Write) -> Result<Summary, BackupError>,
) -> Result<Summary, FileError> {
    let failed = |source| FileError::file("write", part, source);
    let content = |source| FileError::content(part, source);
    let mut out = BufWriter::with_capacity(BUFFER_BYTES, &mut *file);
    out.write_all(&Prefix { compression }.to_bytes()).map_err(failed)?;
    let summary = match compression {
        Compression::None => body(&mut out).map_err(content)?,
        Compression::Zstd => {
            let mut encoder = zstd::Encoder::new(&mut out, ZSTD_LEVEL).map_err(failed)?;
            encoder.include_checksum(true).map_err(failed)?;
            let summary = body(&mut encoder).map_err(content)?;
            encoder.finish().map_err(failed)?;
            summary
        }
    };
    out.flush().map_err(failed)?;
    drop(out);
    file.sync_all().map_err(failed)?;
    Ok(summary)
}

/// Opens a backup, up to its header.
///
/// # Errors
///
/// [`FileError`] when it cannot be read, or is none.
pub(super) fn open(path: &Path) -> Result<Input, FileError> {
    let failed = |source| FileError::file("read", path, source);
    let content = |source| FileError::content(path, source);
    let file = File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_dir() {
        return Err(content(BackupError::NotABackup));
    }
    let mut file = BufReader::with_capacity(BUFFER_BYTES, file);
    let mut prefix = Vec::with_capacity(Prefix::BYTES);
    let length = u64::try_from(Prefix::BYTES).unwrap_or(u64::MAX);
    file.by_ref().take(length).read_to_end(&mut prefix).map_err(failed)?;
    let Prefix { compression } = Prefix::parse(&prefix).map_err(content)?;
    let source: Box<dyn Read + Send> = match compression {
        Compression::None => Box::new(file),
        Compression::Zstd => {
            let mut decoder = zstd::Decoder::with_buffer(file).map_err(failed)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(failed)?;
            Box::new(decoder)
        }
    };
    BackupInput::open(source, compression).map_err(content)
}
