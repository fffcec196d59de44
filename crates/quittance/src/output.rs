//! Standard output: one document, in the form that was asked for. Knows nothing of what it says.

use clap::ValueEnum;
use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle};
use serde_json::Value;
use std::io::{self, ErrorKind, Write};

/// Form of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Table,
    /// One JSON document
    Json,
    /// RFC 4180, with a header
    Csv,
}

/// What a command has to say.
pub(crate) struct Document {
    /// All of it.
    pub(crate) json: Value,
    /// Names of columns.
    pub(crate) columns: Vec<&'static str>,
    /// Rows of a table.
    pub(crate) rows: Vec<Vec<String>>,
    /// Sentences below the table, for people only.
    pub(crate) notes: Vec<String>,
    /// What people get instead of the table, where a table would be hard to read.
    pub(crate) text: Option<String>,
}

impl Document {
    /// Prints it. A reader that has gone away, such as `head`, is no failure.
    ///
    /// # Errors
    ///
    /// When standard output cannot be written for another reason.
    pub(crate) fn print(&self, format: Format) -> io::Result<()> {
        write(&match format {
            Format::Json => format!("{:#}\n", self.json),
            Format::Csv => self.csv(),
            Format::Table => self.text.clone().unwrap_or_else(|| self.table()),
        })
    }

    /// The table and its notes; the notes alone where there is nothing to tabulate.
    pub(crate) fn for_people(&self, is_empty: bool) -> String {
        if is_empty { self.notes.iter().map(|note| plain(note) + "\n").collect() } else { self.table() }
    }

    fn table(&self) -> String {
        let notes: String = self.notes.iter().map(|note| plain(note) + "\n").collect();
        let rule = LineStyle::none().fill('─').junction('─');
        let mut table = Table::new();
        // Never wrapped: ids and secrets are copied from here.
        table
            .load_style(TableStyle::new().header_separator(rule))
            .set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(&self.columns).add_rows(self.rows.iter().map(|cells| cells.iter().map(|cell| plain(cell))));
        let table: String = table.lines().map(|line| format!("{}\n", line.trim_end())).collect();
        table + &notes
    }

    fn csv(&self) -> String {
        let header = self.columns.iter().map(|column| (*column).to_owned()).collect();
        let lines = std::iter::once(&header).chain(&self.rows);
        lines
            .map(|cells: &Vec<String>| cells.iter().map(|cell| quoted(cell)).collect::<Vec<_>>().join(",") + "\r\n")
            .collect()
    }
}

/// A text of somebody else's without control characters, which a terminal would obey.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() }).collect()
}

/// A cell as RFC 4180 writes it.
fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\r', '\n']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

/// Writes to standard output; a reader that has gone away is no failure.
///
/// # Errors
///
/// When it cannot be written for another reason.
pub(crate) fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

#[cfg(test)]
mod tests {
    use super::{plain, quoted};

    #[test]
    fn a_terminal_is_not_told_what_to_do() {
        assert_eq!(plain("ordër \u{1b}[2J\n"), "ordër \\u{1b}[2J\\n");
    }

    #[test]
    fn cells_are_quoted_where_they_have_to_be() {
        for (cell, expected) in [("a b", "a b"), ("a,b", "\"a,b\""), ("say \"a\"", "\"say \"\"a\"\"\""), ("", "")] {
            assert_eq!(quoted(cell), expected);
        }
    }
}
