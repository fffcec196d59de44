//! Owns: rows in order of creation, found by id and cut into pages. Does not own: what a row is.

use std::collections::BTreeMap;

use crate::dialect::list_query::ListQuery;

/// What a table needs to know of its rows.
pub(crate) trait Row {
    fn id(&self) -> &str;
    /// It never changes, and need not rise from row to row: seeded rows come in any order.
    fn created(&self) -> i64;
}

/// Where a row stands in every list: by the time of its creation, then by the order of arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    created: i64,
    arrival: u64,
}

impl Place {
    /// Before everything that was created at this second or later.
    fn before(second: i64) -> Self {
        Self { created: second, arrival: 0 }
    }

    /// Before everything that was created later than this second.
    fn after(second: i64) -> Self {
        second.checked_add(1).map_or(Self { created: i64::MAX, arrival: u64::MAX }, Self::before)
    }

    fn next(self) -> Self {
        Self { arrival: self.arrival.saturating_add(1), ..self }
    }
}

/// Rows are never removed, so a place stays valid for ever.
#[derive(Debug)]
pub(crate) struct Table<T> {
    rows: BTreeMap<Place, T>,
    places: BTreeMap<String, Place>,
    arrivals: u64,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), places: BTreeMap::new(), arrivals: 0 }
    }
}

/// The rows that a list chooses from: all, or those of an index.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Selection<'a> {
    All,
    These(&'a [Place]),
}

impl<T: Row> Table<T> {
    /// Adds a row and returns its place.
    pub(crate) fn add(&mut self, row: T) -> Place {
        self.arrivals += 1;
        let place = Place { created: row.created(), arrival: self.arrivals };
        self.places.insert(row.id().to_owned(), place);
        self.rows.insert(place, row);
        place
    }

    pub(crate) fn contains(&self, id: &str) -> bool {
        self.places.contains_key(id)
    }

    pub(crate) fn place(&self, id: &str) -> Option<Place> {
        self.places.get(id).copied()
    }

    pub(crate) fn at(&self, place: Place) -> Option<&T> {
        self.rows.get(&place)
    }

    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        self.at(self.place(id)?)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        let place = self.place(id)?;
        self.rows.get_mut(&place)
    }

    /// Oldest first.
    pub(crate) fn rows(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.rows.values()
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Newest first. The cursor's row must exist; the caller checks that. `keep` is the filter
    /// that no index serves.
    pub(crate) fn page<'a>(
        &'a self,
        selection: Selection<'a>,
        query: &ListQuery,
        keep: impl Fn(&T) -> bool,
    ) -> (Vec<&'a T>, bool) {
        let cursor = |id: &Option<String>| id.as_deref().and_then(|id| self.place(id));
        let (after, mut before) = (cursor(&query.starting_after), cursor(&query.ending_before));
        let mut low = Place::before(query.created_min.unwrap_or(i64::MIN));
        let end = Place::after(query.created_max.unwrap_or(i64::MAX));
        let mut high = after.map_or(end, |cursor| cursor.min(end));
        if let Some(cursor) = before {
            low = low.max(cursor.next());
        }
        if query.repeats_cursor {
            // Backwards from the cursor's own row: what the client has just seen.
            before = after;
            low = low.max(high);
            high = end;
        }
        let rows = self.between(selection, low, high).filter(|row| keep(row) && !query.unseen.contains(row.id()));
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

    /// The selected rows from `low` on and before `high`, oldest first.
    fn between<'a>(
        &'a self,
        selection: Selection<'a>,
        low: Place,
        high: Place,
    ) -> Box<dyn DoubleEndedIterator<Item = &'a T> + 'a> {
        match selection {
            _ if low >= high => Box::new(std::iter::empty()),
            Selection::All => Box::new(self.rows.range(low..high).map(|(_, row)| row)),
            Selection::These(places) => {
                let first = places.partition_point(|place| *place < low);
                let end = places.partition_point(|place| *place < high);
                let places = places.get(first..end).unwrap_or_default();
                Box::new(places.iter().filter_map(|place| self.at(*place)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, Row, Selection, Table};
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

    /// Rows r0..r9, created at 0, 0, 1, 1, 2, 2, …, and added in two batches, the newer first.
    fn table() -> Table<Dated> {
        let mut table = Table::default();
        for number in (4..10_i64).chain(0..4) {
            table.add(Dated(format!("r{number}"), number / 2));
        }
        table
    }

    fn check(selected: Option<&[&str]>, query: ListQuery, expected: &str) {
        let table = table();
        let places: Vec<Place> = selected.unwrap_or_default().iter().filter_map(|id| table.place(id)).collect();
        let selection = selected.map_or(Selection::All, |_| Selection::These(&places));
        let (rows, has_more) = table.page(selection, &query, |row| row.0 != "r8");
        let names: Vec<&str> = rows.iter().map(|row| row.id()).collect();
        assert_eq!(format!("{} {has_more}", names.join(",")), expected, "{query:?}");
    }

    #[test]
    fn pages_run_newest_first_and_both_ways() {
        let query = |limit| ListQuery { limit, ..ListQuery::default() };
        check(None, query(3), "r9,r7,r6 true");
        check(None, query(9), "r9,r7,r6,r5,r4,r3,r2,r1,r0 false");
        let after = ListQuery { starting_after: Some("r2".into()), ..query(5) };
        check(None, after.clone(), "r1,r0 false");
        check(Some(&["r0", "r2", "r4"]), after, "r0 false");
        let before = ListQuery { ending_before: Some("r2".into()), ..query(2) };
        check(None, before, "r4,r3 true");
        let dated = ListQuery { created_min: Some(1), created_max: Some(2), ..query(10) };
        check(None, dated.clone(), "r5,r4,r3,r2 false");
        check(Some(&["r1", "r3", "r5", "r7"]), dated, "r5,r3 false");
        let nothing = ListQuery { created_min: Some(9), ..query(10) };
        check(None, nothing, " false");
        let reversed = ListQuery { created_min: Some(3), created_max: Some(1), ..query(10) };
        check(None, reversed, " false");
        let forever = ListQuery { created_max: Some(i64::MAX), ..query(1) };
        check(None, forever, "r9 true");
    }

    #[test]
    fn a_page_can_repeat_its_cursor_and_lack_what_is_not_seen_yet() {
        let query = ListQuery { limit: 2, ..ListQuery::default() };
        let repeated = ListQuery { starting_after: Some("r3".into()), repeats_cursor: true, ..query.clone() };
        check(None, repeated, "r4,r3 true");
        let unseen = ["r9".to_owned(), "r6".to_owned()].into();
        check(None, ListQuery { unseen, ..query }, "r7,r5 true");
    }
}
