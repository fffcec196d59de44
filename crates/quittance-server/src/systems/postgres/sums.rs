//! Checksums of ranges of keys, made by the database.

use super::session::Row;
use super::{Postgres, tables};
use crate::systems::{Checksums, PARTS, Parts, Range, Reading, Sink, SystemError};
use quittance_connectors::sql::postgres::catalog::Table;
use quittance_connectors::sql::postgres::ranges::{self, RangeError, Ranges};
use quittance_connectors::sql::postgres::{Reader, checksum};
use quittance_core::pair::Side;
use quittance_core::pair::digest::Digest;
use quittance_core::record::value::Value;

impl Checksums for Postgres {
    fn method(&mut self, object: &str, side: &Side) -> Result<Option<String>, SystemError> {
        let encoding = self.session.moment()?.encoding;
        let table = self.table(object)?;
        // Says which privilege is missing.
        self.reader(object, &table, side)?;
        Ok(checksum::method(&table, side, &encoding))
    }

    fn quantiles(
        &mut self,
        object: &str,
        side: &Side,
        rule: usize,
        ranges: usize,
    ) -> Result<Vec<Vec<Value<'static>>>, SystemError> {
        let table = self.table(object)?;
        let rows = match table.estimate.filter(|rows| *rows > 0) {
            Some(rows) => rows,
            None => self.count(&format!("SELECT count(*) FROM {}", table.quoted()))?,
        };
        let foreign = || self.misused(object, RangeError::Foreign);
        let query = ranges::quantiles(&table, side, rule, ranges, rows).ok_or_else(foreign)?;
        let cuts = self.session.rows(&query)?;
        Ok(ranges::cuts(&table, side, rule, &cuts))
    }

    fn sums(
        &mut self,
        object: &str,
        side: &Side,
        rule: usize,
        ranges: &[Range],
        key: &[u8; 32],
    ) -> Result<Vec<Digest>, SystemError> {
        let asked = (object, side, rule);
        self.summed(
            asked,
            ranges,
            |cut| cut.sums(side, rule, key),
            |cut, row, digests: &mut [Digest]| {
                let (range, digest) = cut.digest(row)?;
                digests[range] = digest;
                Some(())
            },
        )
    }

    fn sums_of_parts(
        &mut self,
        object: &str,
        side: &Side,
        rule: usize,
        ranges: &[Range],
        key: &[u8; 32],
    ) -> Result<Vec<[Digest; PARTS]>, SystemError> {
        let asked = (object, side, rule);
        self.summed(
            asked,
            ranges,
            |cut| cut.sums_of_parts(side, rule, key),
            |cut, row, digests: &mut [[Digest; PARTS]]| {
                let (range, part, digest) = cut.digest_of_part(row)?;
                digests[range][part] = digest;
                Some(())
            },
        )
    }

    fn read_ranges(
        &mut self,
        object: &str,
        side: &Side,
        rule: usize,
        ranges: &[Range],
        parts: Option<Parts<'_>>,
        sink: &mut Sink<'_>,
    ) -> Result<Reading, SystemError> {
        let table = self.table(object)?;
        let reader = self.reader(object, &table, side)?;
        let mut reading = Reading { as_of: Some(self.session.moment()?.as_of()), ..Reading::default() };
        let mut begin = 0;
        for ranges in self.portions(&table, side, rule, ranges) {
            let masks = begin..begin + ranges.len();
            begin = masks.end;
            let parts = parts.map(|parts| (parts.key, &parts.masks[masks]));
            let query = self.cut(object, &table, side, rule, ranges)?.records(&reader.selected(), parts);
            reading.rows += self.rows(&query, &reader, |_| true, sink)?;
            reading.requests += 1;
        }
        Ok(reading)
    }

    fn keyless(&mut self, object: &str, side: &Side, rule: usize) -> Result<u64, SystemError> {
        let table = self.table(object)?;
        let query = ranges::keyless(&table, side, rule);
        self.count(&query.ok_or_else(|| self.misused(object, RangeError::Foreign))?)
    }
}

impl Postgres {
    fn table(&mut self, object: &str) -> Result<Table, SystemError> {
        self.tables.described(&mut self.session, object).cloned()
    }

    /// Asks for sums of ranges, as many as one statement takes at a time, and has each row put where it belongs.
    fn summed<S: Copy + Default>(
        &mut self,
        (object, side, rule): (&str, &Side, usize),
        ranges: &[Range],
        query: impl Fn(&Ranges<'_>) -> String,
        put: impl Fn(&Ranges<'_>, &Row, &mut [S]) -> Option<()>,
    ) -> Result<Vec<S>, SystemError> {
        let table = self.table(object)?;
        let mut sums = Vec::with_capacity(ranges.len());
        for ranges in self.portions(&table, side, rule, ranges) {
            let cut = self.cut(object, &table, side, rule, ranges)?;
            let rows = self.session.rows(&query(&cut))?;
            let begin = sums.len();
            sums.resize(begin + ranges.len(), S::default());
            for row in &rows {
                let nonsense = || self.session.place().nonsense("sums that are none");
                put(&cut, row, &mut sums[begin..]).ok_or_else(nonsense)?;
            }
        }
        Ok(sums)
    }

    pub(super) fn reader(&mut self, object: &str, table: &Table, side: &Side) -> Result<Reader, SystemError> {
        let role = self.session.moment()?.role;
        tables::reader(self.session.system(), &role, object, table, side)
    }

    /// As many ranges as one statement takes.
    fn portions<'r>(
        &self,
        table: &Table,
        side: &Side,
        rule: usize,
        ranges: &'r [Range],
    ) -> std::slice::Chunks<'r, Range> {
        let ends = ranges.iter().flat_map(|range| [&range.from, &range.to]).flatten();
        ranges.chunks(Ranges::most(table, side, rule, ends))
    }

    fn cut<'t>(
        &mut self,
        object: &str,
        table: &'t Table,
        side: &Side,
        rule: usize,
        ranges: &[Range],
    ) -> Result<Ranges<'t>, SystemError> {
        let sorts_by_bytes = self.session.moment()?.sorts_by_bytes;
        let ends = ranges.iter().map(|range| (range.from.as_ref(), range.to.as_ref()));
        Ranges::new(table, sorts_by_bytes, side, rule, ends).map_err(|error| self.misused(object, error))
    }

    pub(super) fn count(&mut self, query: &str) -> Result<u64, SystemError> {
        let rows = self.session.rows(query)?;
        let count = rows.first().and_then(|row: &Row| row.first()?.as_ref()?.parse().ok());
        count.ok_or_else(|| self.session.place().nonsense("a count that is none"))
    }

    fn misused(&self, object: &str, error: RangeError) -> SystemError {
        let what =
            format!("`{object}` of the system `{}` cannot be compared by ranges: {error}", self.session.system());
        SystemError::configuration(what, "write strategy = \"keys\" for the pair")
    }
}
