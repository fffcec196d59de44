//! In which order the pages of one list are fetched: a pure machine over what the pages show.
//!
//! A list is a row of pages, each of which says where the next begins, so that alone it is read one page at a time. Where
//! the provider can select by time of creation, what is left of a range is split by time, and both parts are read at
//! once, each page by page. A split costs at most one request more, and there are few of them. Every object is in one
//! part, whatever the times: parts do not overlap, and a second with many objects is paged through.
//!
//! Does not own requests, their rate, or who remembers ids.

mod range;

use range::{Order, Range, order, times};

/// Times of creation, in seconds since 1970, both inclusive; open where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Span {
    /// Not before.
    pub from: Option<i64>,
    /// Not after.
    pub to: Option<i64>,
}

impl Span {
    /// Whether a time is in it. An object without a time is in every span.
    #[must_use]
    pub fn contains(self, created: Option<i64>) -> bool {
        let Some(created) = created else { return true };
        self.from.is_none_or(|from| from <= created) && self.to.is_none_or(|to| created <= to)
    }

    const fn is_open(self) -> bool {
        self.from.is_none() && self.to.is_none()
    }
}

/// A page that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    range: u64,
    /// Of which span; open where the provider cannot select.
    pub span: Span,
    /// After which object.
    pub after: Option<String>,
}

/// What a page shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its objects in its order, with their times of creation.
    pub objects: Vec<(String, Option<i64>)>,
    /// How many of them this reading of the list had not seen before.
    pub fresh: usize,
    /// Whether it says that there are more.
    pub has_more: bool,
}

/// Why a list cannot be read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stuck {
    /// A page says that more follow and brings nothing new.
    #[error("it repeated a cursor: a page that says that more follow brought only what was there before")]
    Repeated,
    /// A page says that more follow and brings nothing at all.
    #[error("it sent an empty page that says that more follow")]
    Empty,
    /// It does not end.
    #[error("it sent {PAGES_MAX} pages and still says that more follow")]
    Endless,
    /// It no longer knows any of the objects after which it was asked to go on.
    #[error("it knows none of the objects any more that it listed on the page before")]
    Lost,
}

/// Most pages of one list: a hundred million objects.
const PAGES_MAX: u64 = 1_000_000;

/// Splits for each range that may be read at once, and the pages for which there is another one: a bound for what
/// splitting may cost.
const SPLITS_FOR_A_PLACE: u64 = 2;
const PAGES_FOR_A_SPLIT: u64 = 16;

/// Whether the provider selects by time of creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Selecting {
    Untried,
    Works,
    Never,
}

/// Reads one list.
#[derive(Debug)]
pub struct Plan {
    selecting: Selecting,
    ranges: Vec<Range>,
    ranges_max: usize,
    last_range: u64,
    splits: u64,
    pages: u64,
    bound: Option<i64>,
    /// What every page so far shows of the list's order; none while all was of one second.
    order: Option<Order>,
}

impl Plan {
    /// A plan that reads so many ranges at once. With a bound, what was created after it is left out.
    #[must_use]
    pub fn new(ranges_max: usize, bound: Option<i64>) -> Self {
        let first = Range::new(0, Span::default());
        let selecting = Selecting::Untried;
        Self { selecting, ranges: vec![first], ranges_max, last_range: 0, splits: 0, pages: 0, bound, order: None }
    }

    /// A plan that reads page after page and selects nothing by time.
    #[must_use]
    pub fn paged() -> Self {
        Self { selecting: Selecting::Never, ..Self::new(1, None) }
    }

    /// Sets the bound, once the provider's time is known; a second time it stays as it is.
    pub fn set_bound(&mut self, bound: i64) {
        self.bound.get_or_insert(bound);
    }

    /// Whether an object belongs to what is read. Where the provider cannot select, somebody else has to.
    #[must_use]
    pub fn wants(&self, created: Option<i64>) -> bool {
        Span { from: None, to: self.bound }.contains(created)
    }

    /// Whether all is read.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.ranges.is_empty()
    }

    /// A page that can be fetched now; none while what is left depends on answers. Each has to be answered.
    pub fn ask(&mut self) -> Option<Ask> {
        let bound = Span { from: None, to: self.bound };
        let selects = self.selecting != Selecting::Never;
        let range = self.ranges.iter_mut().find(|range| !range.is_asked)?;
        range.is_asked = true;
        // The first page of all tells the provider's time, so that it has no bound yet.
        let span = Span { from: range.span.from, to: range.span.to.or(bound.to) };
        let span = if selects { span } else { Span::default() };
        Some(Ask { range: range.id, span, after: range.cursor().map(str::to_owned) })
    }

    /// Takes a page.
    ///
    /// # Errors
    ///
    /// [`Stuck`], when going on would not end.
    pub fn page(&mut self, ask: &Ask, shown: &Shown) -> Result<(), Stuck> {
        // A range that was given up because the provider cannot select: another one reads what is in it.
        let Some(at) = self.ranges.iter().position(|range| range.id == ask.range) else { return Ok(()) };
        self.pages += 1;
        if !shown.objects.iter().all(|(_, created)| ask.span.contains(*created)) {
            self.read_in_one();
        } else if ask.range != 0 {
            self.selecting = Selecting::Works;
        }
        self.order = Order::both(self.order, order(shown));
        let Some(range) = self.ranges.get_mut(at) else { return Ok(()) };
        range.is_asked = false;
        match (shown.has_more, shown.objects.len()) {
            (false, _) => drop(self.ranges.remove(at)),
            (true, 0) => return Err(Stuck::Empty),
            (true, _) if shown.fresh == 0 => return Err(Stuck::Repeated),
            (true, _) if self.pages >= PAGES_MAX => return Err(Stuck::Endless),
            (true, _) => {
                range.go_on_after(shown);
                self.split(at, shown);
            }
        }
        Ok(())
    }

    /// The provider refuses to select by time. Says whether that can be done without: it can until it did once.
    pub fn refuse_span(&mut self, ask: &Ask) -> bool {
        if ask.span.is_open() {
            return false;
        }
        if self.selecting == Selecting::Untried {
            self.read_in_one();
        }
        self.ranges.iter_mut().filter(|range| range.id == ask.range).for_each(|range| range.is_asked = false);
        self.selecting == Selecting::Never
    }

    /// The provider does not know the object any more after which it was to go on. What was listed before it does as
    /// well; some of what was seen then comes again.
    ///
    /// # Errors
    ///
    /// [`Stuck::Lost`] when there is none.
    pub fn lose_cursor(&mut self, ask: &Ask) -> Result<(), Stuck> {
        let Some(range) = self.ranges.iter_mut().find(|range| range.id == ask.range) else { return Ok(()) };
        range.is_asked = false;
        range.forget_cursor().then_some(()).ok_or(Stuck::Lost)
    }

    /// From now on there is one range, page after page. It is the first one: what it has not read comes after its
    /// cursor.
    fn read_in_one(&mut self) {
        self.selecting = Selecting::Never;
        self.ranges.retain_mut(|range| {
            range.span = Span::default();
            range.id == 0
        });
    }

    /// Cuts off the older part of what is left of a range, where that is worth a request.
    fn split(&mut self, at: usize, shown: &Shown) {
        let may_split = match self.selecting {
            Selecting::Never => false,
            // One split tells whether the provider selects.
            Selecting::Untried => self.splits == 0,
            Selecting::Works => true,
        };
        let splits_max = SPLITS_FOR_A_PLACE * self.ranges_max as u64 + self.pages / PAGES_FOR_A_SPLIT;
        if !may_split || self.ranges.len() >= self.ranges_max || self.splits >= splits_max {
            return;
        }
        let (Some(Order::NewestFirst), Some((newest, oldest))) = (self.order, times(shown)) else { return };
        self.last_range += 1;
        if let Some(older) = self.ranges[at].split(self.last_range, newest, oldest) {
            self.ranges.push(older);
            self.splits += 1;
        }
    }
}
