//! A system that is read no faster than it likes, and no longer than somebody wants it.
//!
//! Rows are taken in pages. A page that takes long says that the system is busy: as much again is waited before the next one,
//! so that its share of the time is what is configured. While nobody takes rows, a database sends none and reads on no
//! further than its buffers. Does not own what is read.

use super::{Checksums, Description, Parts, Range, Reading, Sink, System, SystemError, Wanted};
use crate::clock;
use crate::reconcile::Halt;
use quittance_connectors::sql::postgres::checksum::PARTS;
use quittance_core::pair::Side;
use quittance_core::pair::digest::Digest;
use quittance_core::record::value::Value;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

/// Rows of a page.
const PAGE: u64 = 1_000;

/// A page that takes no longer than this is no load.
const QUICK: Duration = Duration::from_millis(50);

/// Most that is waited within one reading: a statement has a limit of its own.
const WAITED_MAX: Duration = Duration::from_secs(300);

/// A system behind a pace.
pub struct Paced {
    inner: Box<dyn System>,
    halt: Arc<Halt>,
    share_ppm: u64,
}

impl Paced {
    /// A system that may be read in so many millionths of the time, until it is to stop.
    #[must_use]
    pub fn new(inner: Box<dyn System>, halt: Arc<Halt>, share_ppm: u64) -> Self {
        Self { inner, halt, share_ppm }
    }

    fn check(&self) -> Result<(), SystemError> {
        self.halt.why().map_or(Ok(()), |why| Err(SystemError::outside(format!("reading was stopped: {why}"), "")))
    }

    /// Does something of which nobody can stop the middle.
    fn whole<T>(&mut self, act: impl FnOnce(&mut dyn System) -> Result<T, SystemError>) -> Result<T, SystemError> {
        self.check()?;
        let began = clock::monotonic();
        let done = act(self.inner.as_mut())?;
        self.halt.wait(rest(clock::monotonic().saturating_duration_since(began), self.share_ppm));
        Ok(done)
    }

    fn summed<T>(&mut self, act: impl FnOnce(&mut dyn Checksums) -> Result<T, SystemError>) -> Result<T, SystemError> {
        self.whole(|inner| match inner.checksums() {
            Some(checksums) => act(checksums),
            None => Err(none()),
        })
    }
}

fn none() -> SystemError {
    SystemError::outside("it makes no checksums any more", "")
}

/// How long nothing is asked after something took so long.
fn rest(took: Duration, share_ppm: u64) -> Duration {
    if took <= QUICK || share_ppm == 0 {
        return Duration::ZERO;
    }
    let micros = took.as_micros() * u128::from(1_000_000_u64.saturating_sub(share_ppm)) / u128::from(share_ppm);
    Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX)).min(WAITED_MAX)
}

/// Hands rows on, page by page.
struct Pages<'p> {
    halt: &'p Halt,
    share_ppm: u64,
    rows: u64,
    began: std::time::Instant,
    waited: Duration,
}

impl Pages<'_> {
    fn take(&mut self, sink: &mut Sink<'_>, row: &[Value<'_>]) -> ControlFlow<()> {
        sink(row)?;
        self.rows += 1;
        if self.rows.is_multiple_of(PAGE) {
            if self.halt.why().is_some() {
                return ControlFlow::Break(());
            }
            let rest = rest(clock::monotonic().saturating_duration_since(self.began), self.share_ppm);
            if self.waited < WAITED_MAX {
                self.halt.wait(rest);
                self.waited += rest;
            }
            self.began = clock::monotonic();
        }
        ControlFlow::Continue(())
    }
}

impl System for Paced {
    fn objects(&mut self) -> Result<Vec<String>, SystemError> {
        self.inner.objects()
    }

    fn describe(&mut self, object: &str) -> Result<Description, SystemError> {
        self.check()?;
        self.inner.describe(object)
    }

    fn read(
        &mut self,
        object: &str,
        side: &Side,
        wanted: &Wanted,
        sink: &mut Sink<'_>,
    ) -> Result<Reading, SystemError> {
        self.check()?;
        let halt = Arc::clone(&self.halt);
        let began = clock::monotonic();
        let mut pages = Pages { halt: &halt, share_ppm: self.share_ppm, rows: 0, began, waited: Duration::ZERO };
        let reading = self.inner.read(object, side, wanted, &mut |row| pages.take(sink, row))?;
        // What was stopped in the middle is no reading.
        self.check()?;
        Ok(reading)
    }

    fn can_find(&self, object: &str, side: &Side, columns: &[usize]) -> bool {
        self.inner.can_find(object, side, columns)
    }

    fn lookups_per_request(&self) -> usize {
        self.inner.lookups_per_request()
    }

    fn take_deleted(&mut self) -> Vec<Vec<Value<'static>>> {
        self.inner.take_deleted()
    }

    fn refresh(&mut self) -> Result<(), SystemError> {
        self.check()?;
        self.inner.refresh()
    }

    fn estimate(&mut self, object: &str) -> Result<Option<u64>, SystemError> {
        self.whole(|inner| inner.estimate(object))
    }

    fn checksums(&mut self) -> Option<&mut dyn Checksums> {
        if self.inner.checksums().is_some() { Some(self) } else { None }
    }
}

impl Checksums for Paced {
    fn method(&mut self, object: &str, side: &Side) -> Result<Option<String>, SystemError> {
        self.summed(|inner| inner.method(object, side))
    }

    fn quantiles(
        &mut self,
        object: &str,
        side: &Side,
        rule: usize,
        ranges: usize,
    ) -> Result<Vec<Vec<Value<'static>>>, SystemError> {
        self.summed(|inner| inner.quantiles(object, side, rule, ranges))
    }

    fn sums(
        &mut self,
        object: &str,
        side: &Side,
        rule: usize,
        ranges: &[Range],
        key: &[u8; 32],
    ) -> Result<Vec<Digest>, SystemError> {
        Self::summed(self, |inner| inner.sums(object, side, rule, ranges, key))
    }

    fn sums_of_parts(
        &mut self,
        object: &str,
        side: &Side,
        rule: usize,
        ranges: &[Range],
        key: &[u8; 32],
    ) -> Result<Vec<[Digest; PARTS]>, SystemError> {
        Self::summed(self, |inner| inner.sums_of_parts(object, side, rule, ranges, key))
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
        self.check()?;
        let halt = Arc::clone(&self.halt);
        let began = clock::monotonic();
        let mut pages = Pages { halt: &halt, share_ppm: self.share_ppm, rows: 0, began, waited: Duration::ZERO };
        let checksums = self.inner.checksums().ok_or_else(none)?;
        let reading = checksums.read_ranges(object, side, rule, ranges, parts, &mut |row| pages.take(sink, row))?;
        self.check()?;
        Ok(reading)
    }

    fn keyless(&mut self, object: &str, side: &Side, rule: usize) -> Result<u64, SystemError> {
        self.summed(|inner| inner.keyless(object, side, rule))
    }
}

#[cfg(test)]
mod tests {
    use super::rest;
    use std::time::Duration;

    #[test]
    fn what_takes_long_is_followed_by_as_much_rest_as_its_share_leaves() {
        for (took, share_ppm, rests) in
            [(40, 500_000, 0), (1_000, 500_000, 1_000), (1_000, 250_000, 3_000), (1_000, 1_000_000, 0), (1_000, 0, 0)]
        {
            assert_eq!(
                rest(Duration::from_millis(took), share_ppm),
                Duration::from_millis(rests),
                "{took} {share_ppm}"
            );
        }
    }
}
