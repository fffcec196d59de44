//! Frames: a tag, a length, and so many bytes, and the digest over all of them. Knows nothing of what they say.

use super::BackupError;
use sha2::{Digest, Sha256};
use std::io::{Read, Write};

/// Longest frame. A row is bounded far below it.
pub(super) const FRAME_BYTES_MAX: usize = 64 << 20;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    Header,
    Table,
    Row,
    TableEnd,
    End,
}

impl Tag {
    const ALL: [Self; 5] = [Self::Header, Self::Table, Self::Row, Self::TableEnd, Self::End];

    const fn byte(self) -> u8 {
        match self {
            Self::Header => b'H',
            Self::Table => b'T',
            Self::Row => b'R',
            Self::TableEnd => b'E',
            Self::End => b'Z',
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Table => "table",
            Self::Row => "row",
            Self::TableEnd => "end of a table",
            Self::End => "end",
        }
    }
}

/// Writes frames.
pub(super) struct FrameWriter<'a> {
    out: &'a mut dyn Write,
    digest: Sha256,
}

impl<'a> FrameWriter<'a> {
    /// Behind a prefix, which is digested too.
    pub(super) fn new(out: &'a mut dyn Write, prefix: &[u8]) -> Self {
        Self { out, digest: Sha256::new_with_prefix(prefix) }
    }

    pub(super) fn put(&mut self, tag: Tag, body: &[u8]) -> Result<(), BackupError> {
        let length = u32::try_from(body.len()).expect("the caller bounds it");
        let [a, b, c, d] = length.to_be_bytes();
        for part in [&[tag.byte(), a, b, c, d], body] {
            self.digest.update(part);
            self.out.write_all(part).map_err(BackupError::writing)?;
        }
        Ok(())
    }

    /// The digest over everything so far.
    pub(super) fn digest(&self) -> [u8; 32] {
        self.digest.clone().finalize().into()
    }

    pub(super) fn flush(&mut self) -> Result<(), BackupError> {
        self.out.flush().map_err(BackupError::writing)
    }
}

/// Reads frames.
pub(super) struct FrameReader<R> {
    source: R,
    digest: Sha256,
    /// Frames that were read, for whoever is told where something is wrong.
    count: u64,
}

impl<R: Read> FrameReader<R> {
    pub(super) fn new(source: R, prefix: &[u8]) -> Self {
        Self { source, digest: Sha256::new_with_prefix(prefix), count: 0 }
    }

    /// The next frame.
    pub(super) fn take(&mut self) -> Result<(Tag, Vec<u8>), BackupError> {
        let mut head = [0; 5];
        self.fill(&mut head)?;
        let [tag, length @ ..] = head;
        let Some(tag) = Tag::ALL.into_iter().find(|known| known.byte() == tag) else {
            return Err(self.damaged(format!("no frame begins with byte {tag:#04x}")));
        };
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if length > FRAME_BYTES_MAX {
            return Err(self.damaged(format!("a frame of {length} bytes is longer than any")));
        }
        // Grown by what comes, not by what a damaged length promises.
        let mut body = Vec::new();
        let wanted = u64::try_from(length).unwrap_or(u64::MAX);
        let read = self.source.by_ref().take(wanted).read_to_end(&mut body);
        if read.map_err(|error| BackupError::reading(error, || self.place()))? < length {
            return Err(BackupError::Cut { place: self.place() });
        }
        if tag != Tag::End {
            self.digest.update(head);
            self.digest.update(&body);
        }
        self.count += 1;
        Ok((tag, body))
    }

    /// The next frame, which can only be of this kind.
    pub(super) fn expect(&mut self, wanted: Tag) -> Result<Vec<u8>, BackupError> {
        match self.take()? {
            (tag, body) if tag == wanted => Ok(body),
            (tag, _) => Err(self.damaged(format!("{} where {} should be", tag.name(), wanted.name()))),
        }
    }

    /// The digest over everything before the end.
    pub(super) fn digest(&self) -> [u8; 32] {
        self.digest.clone().finalize().into()
    }

    /// Makes sure that nothing follows.
    pub(super) fn end(&mut self) -> Result<(), BackupError> {
        match self.source.read(&mut [0]) {
            Ok(0) => Ok(()),
            Ok(_) => Err(self.damaged("something follows its end".to_owned())),
            Err(error) => Err(BackupError::reading(error, || self.place())),
        }
    }

    pub(super) fn damaged(&self, what: String) -> BackupError {
        BackupError::Damaged { place: self.place(), what }
    }

    fn place(&self) -> String {
        format!("after {} frames", self.count)
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), BackupError> {
        self.source.read_exact(buffer).map_err(|error| BackupError::reading(error, || self.place()))
    }
}
