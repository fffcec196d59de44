//! Reading a table page by page, in the order of its primary key. Knows nothing of what the rows mean.

use quittance_store::schema::Table;
use quittance_store::store::{Reader, Scan, StoreError};
use quittance_store::value::{Row, Value};
use std::collections::VecDeque;

/// Rows of one page; so many of each table are in memory at once.
pub(super) const PAGE_ROWS: usize = 256;

/// A place in a table, or in that part of it that belongs to one book.
pub(super) struct Cursor {
    scan: Scan,
    page: VecDeque<Row>,
    is_read_out: bool,
}

impl Cursor {
    /// Before the first row whose key begins with `prefix`.
    pub(super) fn new(table: &'static Table, prefix: Vec<Value>) -> Self {
        Self { scan: Scan::forward(table, prefix, PAGE_ROWS), page: VecDeque::new(), is_read_out: false }
    }

    /// The first column of the next row; none behind the last.
    pub(super) fn next_book(&mut self, reader: &mut dyn Reader) -> Result<Option<&Value>, StoreError> {
        if self.page.is_empty() && !self.is_read_out {
            self.turn(reader)?;
        }
        Ok(self.page.front().map(|row| &row[0]))
    }

    /// Takes the next row if it begins with `book`.
    pub(super) fn take(&mut self, reader: &mut dyn Reader, book: &Value) -> Result<Option<Row>, StoreError> {
        if self.next_book(reader)? == Some(book) { Ok(self.page.pop_front()) } else { Ok(None) }
    }

    /// Takes the rest of the page, or the next one; nothing behind the last.
    pub(super) fn take_page(&mut self, reader: &mut dyn Reader) -> Result<VecDeque<Row>, StoreError> {
        if self.page.is_empty() && !self.is_read_out {
            self.turn(reader)?;
        }
        Ok(std::mem::take(&mut self.page))
    }

    /// Passes over rows that begin before `book`.
    pub(super) fn skip_before(&mut self, reader: &mut dyn Reader, book: &Value) -> Result<(), StoreError> {
        while self.next_book(reader)?.is_some_and(|next| next < book) {
            self.page.pop_front();
        }
        Ok(())
    }

    fn turn(&mut self, reader: &mut dyn Reader) -> Result<(), StoreError> {
        let rows = reader.scan(&self.scan)?;
        self.is_read_out = rows.len() < PAGE_ROWS;
        if let Some(last) = rows.last().filter(|_| !self.is_read_out) {
            self.scan.after = Some(self.scan.position_of(last));
        }
        self.page = rows.into();
        Ok(())
    }
}
