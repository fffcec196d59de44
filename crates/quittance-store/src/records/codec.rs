//! A canonical binary form: fixed-width big-endian integers and length-prefixed bytes. One value has one encoding.

/// Why bytes cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// They end too early.
    #[error("body ends too early")]
    Truncated,
    /// Something follows the end.
    #[error("body has bytes after its end")]
    Trailing,
    /// A text is not UTF-8.
    #[error("body holds a text that is not UTF-8")]
    NotText,
    /// A number or word stands for nothing.
    #[error("body holds a value out of range")]
    OutOfRange,
    /// The format is of a version unknown here.
    #[error("body is of an unknown version {0}")]
    Version(u8),
}

/// Writes a body.
#[derive(Debug, Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// Begins a body of this version.
    #[must_use]
    pub fn version(version: u8) -> Self {
        Self(vec![version])
    }

    /// Writes an 8-byte integer.
    pub fn integer(&mut self, value: i64) -> &mut Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    /// Writes a 4-byte count.
    pub fn count(&mut self, value: u32) -> &mut Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    /// Writes one byte.
    pub fn byte(&mut self, value: u8) -> &mut Self {
        self.0.push(value);
        self
    }

    /// Writes a flag.
    pub fn flag(&mut self, value: bool) -> &mut Self {
        self.byte(u8::from(value))
    }

    /// Writes bytes of a length both sides know.
    pub fn fixed(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// Writes bytes behind their length.
    ///
    /// # Panics
    ///
    /// Beyond 4 GiB, which no bounded field reaches.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        let length = u32::try_from(bytes.len()).expect("stored fields are bounded far below 4 GiB");
        self.count(length).fixed(bytes)
    }

    /// Writes a text.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    /// Writes something that may be absent.
    pub fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) -> &mut Self {
        self.flag(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
        self
    }

    /// The body.
    #[must_use]
    pub fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }
}

/// Reads a body.
#[derive(Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Opens a body whose version must be `known`.
    ///
    /// # Errors
    ///
    /// [`CodecError::Version`], [`CodecError::Truncated`].
    pub fn open(bytes: &'a [u8], known: u8) -> Result<Self, CodecError> {
        match bytes.split_first() {
            None => Err(CodecError::Truncated),
            Some((version, rest)) if *version == known => Ok(Self(rest)),
            Some((version, _)) => Err(CodecError::Version(*version)),
        }
    }

    /// Reads so many bytes.
    ///
    /// # Errors
    ///
    /// [`CodecError::Truncated`].
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], CodecError> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(CodecError::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    /// Reads bytes of a fixed length.
    ///
    /// # Errors
    ///
    /// [`CodecError::Truncated`].
    pub fn fixed<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        self.take(N)?.try_into().map_err(|_| CodecError::Truncated)
    }

    /// Reads an 8-byte integer.
    ///
    /// # Errors
    ///
    /// [`CodecError::Truncated`].
    pub fn integer(&mut self) -> Result<i64, CodecError> {
        Ok(i64::from_be_bytes(self.fixed()?))
    }

    /// Reads a 4-byte count.
    ///
    /// # Errors
    ///
    /// [`CodecError::Truncated`].
    pub fn count(&mut self) -> Result<u32, CodecError> {
        Ok(u32::from_be_bytes(self.fixed()?))
    }

    /// Reads one byte.
    ///
    /// # Errors
    ///
    /// [`CodecError::Truncated`].
    pub fn byte(&mut self) -> Result<u8, CodecError> {
        Ok(self.fixed::<1>()?[0])
    }

    /// Reads a flag.
    ///
    /// # Errors
    ///
    /// [`CodecError::OutOfRange`] for anything but 0 and 1.
    pub fn flag(&mut self) -> Result<bool, CodecError> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(CodecError::OutOfRange),
        }
    }

    /// Reads bytes behind their length.
    ///
    /// # Errors
    ///
    /// [`CodecError::Truncated`].
    pub fn bytes(&mut self) -> Result<&'a [u8], CodecError> {
        let length = self.count()?;
        self.take(usize::try_from(length).map_err(|_| CodecError::OutOfRange)?)
    }

    /// Reads a text.
    ///
    /// # Errors
    ///
    /// [`CodecError::NotText`], [`CodecError::Truncated`].
    pub fn text(&mut self) -> Result<String, CodecError> {
        let bytes = self.bytes()?;
        Ok(std::str::from_utf8(bytes).map_err(|_| CodecError::NotText)?.to_owned())
    }

    /// Reads something that may be absent.
    ///
    /// # Errors
    ///
    /// As `read`.
    pub fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, CodecError>,
    ) -> Result<Option<T>, CodecError> {
        if self.flag()? { Ok(Some(read(self)?)) } else { Ok(None) }
    }

    /// Reads a word and looks up what it stands for.
    ///
    /// # Errors
    ///
    /// [`CodecError::OutOfRange`] when it stands for nothing.
    pub fn word<T>(&mut self, look_up: impl FnOnce(&str) -> Option<T>) -> Result<T, CodecError> {
        look_up(&self.text()?).ok_or(CodecError::OutOfRange)
    }

    /// Ends the body.
    ///
    /// # Errors
    ///
    /// [`CodecError::Trailing`] when something is left.
    pub fn end(self) -> Result<(), CodecError> {
        if self.0.is_empty() { Ok(()) } else { Err(CodecError::Trailing) }
    }
}
