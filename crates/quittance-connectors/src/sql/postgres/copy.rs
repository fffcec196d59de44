//! Rows as `COPY … TO STDOUT` writes them: lines, tabs between fields, backslashes before what would be mistaken.

use std::borrow::Cow;

/// Longest row that is read, in bytes. It is what a row may take of memory on its way.
pub const ROW_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A row that is longer than [`ROW_BYTES_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a row has more than {} MiB", ROW_BYTES_MAX / 1024 / 1024)]
pub struct RowTooLong;

/// Cuts what arrives into lines, however it was cut on its way.
#[derive(Debug, Default)]
pub struct Lines {
    begun: Vec<u8>,
}

impl Lines {
    /// Hands over every line that ends in `bytes`, without its end, until `visit` fails.
    ///
    /// # Errors
    ///
    /// Those of `visit`, and [`RowTooLong`].
    pub fn feed<E: From<RowTooLong>>(
        &mut self,
        bytes: &[u8],
        mut visit: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut rest = bytes;
        // PostgreSQL sends each row by itself, so the search is short and nothing is kept.
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line = &rest[..end];
            rest = &rest[end + 1..];
            if self.begun.is_empty() {
                checked(line.len())?;
                visit(line)?;
            } else {
                self.begun.extend(line);
                checked(self.begun.len())?;
                visit(&self.begun)?;
                self.begun.clear();
            }
        }
        self.begun.extend(rest);
        Ok(checked(self.begun.len())?)
    }

    /// Whether everything that began has ended.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.begun.is_empty()
    }
}

const fn checked(length: usize) -> Result<(), RowTooLong> {
    if length > ROW_BYTES_MAX { Err(RowTooLong) } else { Ok(()) }
}

/// The fields of a line; none for NULL.
pub fn fields(line: &str) -> impl Iterator<Item = Option<Cow<'_, str>>> {
    let is_plain = !line.contains('\\');
    line.split('\t').map(move |field| match field {
        field if is_plain => Some(Cow::Borrowed(field)),
        "\\N" => None,
        field => Some(unescaped(field)),
    })
}

fn unescaped(field: &str) -> Cow<'_, str> {
    if !field.contains('\\') {
        return Cow::Borrowed(field);
    }
    let mut text = String::with_capacity(field.len());
    let mut letters = field.chars();
    while let Some(letter) = letters.next() {
        text.push(if letter == '\\' { letters.next().map_or('\\', escape) } else { letter });
    }
    Cow::Owned(text)
}

const fn escape(letter: char) -> char {
    match letter {
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        other => other,
    }
}
