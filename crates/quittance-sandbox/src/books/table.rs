//! Owns: rows in order of creation, found by id and cut into pages. Does not own: what a row is.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::dialect::list_query::ListQuery;

/// What a table needs to know of its rows.
pub(crate) trait Row {
    fn id(&self) -> &str;
    /// Never lower than that of the row before: the writer sees to it.
    fn created(&self) -> i64;
}

/// Rows are never removed, so a position stays valid for ever.
#[derive(Debug)]
pub(crate) struct Table<T> {
    rows: Vec<T>,
    positions: BTreeMap<String, usize>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), positions: BTreeMap::new() }
    }
}

/// One page of a list, in Stripe's shape.
#[derive(Debug, Serialize)]
pub(crate) struct Page<T> {
    pub(crate) object: &'static str,
    pub(crate) data: Vec<T>,
    pub(crate) has_more: bool,
    pub(crate) url: &'static str,
}

/// The rows that a list chooses from: all, or those of an index.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Selection<'a> {
    All,
    These(&'a [usize]),
}

impl<T: Row> Table<T> {
    /// Adds a row and returns its position.
    pub(crate) fn add(&mut self, row: T) -> usize {
        let position = self.rows.len();
        self.positions.insert(row.id().to_owned(), position);
        self.rows.push(row);
        position
    }

    pub(crate) fn contains(&self, id: &str) -> bool {
        self.positions.contains_key(id)
    }

    pub(crate) fn position(&self, id: &str) -> Option<usize> {
        self.positions.get(id).copied()
    }

    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        self.rows.get(self.position(id)?)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        let position = self.position(id)?;
        self.rows.get_mut(position)
    }

    pub(crate) fn rows(&self) -> &[T] {
        &self.rows
    }

    /// Newest first. The cursor's row must exist; the caller checks that. `keep` is the filter
    /// that no index serves.
    pub(crate) fn page(
        &self,
        selection: Selection<'_>,
        query: &ListQuery,
        keep: impl Fn(&T) -> bool,
    ) -> (Vec<&T>, bool) {
        let mut low = self.first(selection, |row| query.created_min.is_none_or(|min| row.created() >= min));
        let mut high = self.first(selection, |row| query.created_max.is_some_and(|max| row.created() > max));
        let newest = high;
        if let Some(cursor) = query.starting_after.as_deref().and_then(|id| self.position(id)) {
            high = high.min(self.rank(selection, cursor));
        }
        let mut before = query.ending_before.as_deref().and_then(|id| self.position(id));
        if let Some(cursor) = before {
            low = low.max(self.rank(selection, cursor.saturating_add(1)));
        }
        if query.repeats_cursor {
            // Backwards from the cursor's own row: what the client has just seen.
            before = query.starting_after.as_deref().and_then(|id| self.position(id));
            low = low.max(high);
            high = newest;
        }
        let rows = (low..high).filter_map(|rank| self.at(selection, rank)).filter(|row| keep(row));
        let wanted = query.limit.saturating_add(1);
        // Backwards means: the rows nearest to the cursor, shown newest first all the same.
        let mut found: Vec<&T> = match before {
            Some(_) => rows.take(wanted).collect(),
            None => rows.rev().take(wanted).collect(),
        };
        let has_more = query.repeats_cursor || found.len() > query.limit;
        found.truncate(query.limit);
        if before.is_some() {
            found.reverse();
        }
        (found, has_more)
    }

    fn len(&self, selection: Selection<'_>) -> usize {
        match selection {
            Selection::All => self.rows.len(),
            Selection::These(positions) => positions.len(),
        }
    }

    fn at(&self, selection: Selection<'_>, rank: usize) -> Option<&T> {
        match selection {
            Selection::All => self.rows.get(rank),
            Selection::These(positions) => self.rows.get(*positions.get(rank)?),
        }
    }

    /// How many of the selected rows lie before this position.
    fn rank(&self, selection: Selection<'_>, position: usize) -> usize {
        match selection {
            Selection::All => position,
            Selection::These(positions) => positions.partition_point(|other| *other < position),
        }
    }

    /// The rank of the first row that `is_reached`, by bisection: `created` only rises.
    fn first(&self, selection: Selection<'_>, is_reached: impl Fn(&T) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len(selection));
        while low < high {
            let middle = low.midpoint(high);
            match self.at(selection, middle) {
                Some(row) if !is_reached(row) => low = middle + 1,
                _ => high = middle,
            }
        }
        low
    }
}

#[cfg(test)]
mod tests {
    use super::{Row, Selection, Table};
    use crate::dialect::list_query::ListQuery;

    struct Dated(String, i64);

    impl Row for Dated {
        fn id(&self) -> &str {
            &self.0
        }
        fn created(&self) -> i64 {
            self.1
        }
    }

    /// Rows r0..r9, created at 0, 0, 1, 1, 2, 2, …
    fn check(selection: Selection<'_>, query: ListQuery, expected: &str) {
        let mut table = Table::default();
        for number in 0..10_i64 {
            table.add(Dated(format!("r{number}"), number / 2));
        }
        let (rows, has_more) = table.page(selection, &query, |row| row.0 != "r8");
        let names: Vec<&str> = rows.iter().map(|row| row.id()).collect();
        assert_eq!(format!("{} {has_more}", names.join(",")), expected, "{query:?}");
    }

    #[test]
    fn pages_run_newest_first_and_both_ways() {
        let query = |limit| ListQuery { limit, ..ListQuery::default() };
        check(Selection::All, query(3), "r9,r7,r6 true");
        check(Selection::All, query(9), "r9,r7,r6,r5,r4,r3,r2,r1,r0 false");
        let after = ListQuery { starting_after: Some("r2".into()), ..query(5) };
        check(Selection::All, after.clone(), "r1,r0 false");
        check(Selection::These(&[0, 2, 4]), after, "r0 false");
        let before = ListQuery { ending_before: Some("r2".into()), ..query(2) };
        check(Selection::All, before, "r4,r3 true");
        let dated = ListQuery { created_min: Some(1), created_max: Some(2), ..query(10) };
        check(Selection::All, dated.clone(), "r5,r4,r3,r2 false");
        check(Selection::These(&[1, 3, 5, 7]), dated, "r5,r3 false");
        let nothing = ListQuery { created_min: Some(9), ..query(10) };
        check(Selection::All, nothing, " false");
    }
}
