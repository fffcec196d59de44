//! From page to page of one list, to its end and never further: a pure machine over what the pages say.

use std::collections::HashSet;

use super::{Address, Next, Paging, Shape};

/// Most pages of one list.
const PAGES_MAX: u64 = 1_000_000;

/// Most pages without a record, one after the other, that lead on.
const EMPTY_MAX: u64 = 100;

/// Why a list cannot be read to its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stuck {
    /// A page leads to one that was read, or brings nothing new and leads on.
    #[error("it repeated a cursor: a page that leads on brought only what was there before")]
    Repeated,
    /// Pages without records lead on and on.
    #[error("it sent {0} empty pages that say that more follow")]
    Empty(u64),
    /// It does not end.
    #[error("it sent {PAGES_MAX} pages and still says that more follow")]
    Endless,
    /// A page that could be one of many says nothing of where a next one would be, and none did before it.
    #[error(
        "its page {page} has {records} records and nothing at {place}, where the next page should be named (null at the end); \
         only a page shorter than page_size is the last without a word"
    )]
    Unnamed {
        /// Which page, from 1.
        page: u64,
        /// How many records it has.
        records: usize,
        /// Where the next page should be named.
        place: String,
    },
    /// The next page is at another host.
    #[error("it names {0:?} as its next page, which is not below its own address")]
    Elsewhere(String),
}

/// Reads one list.
#[derive(Debug)]
pub struct Pages<'s> {
    shape: &'s Shape,
    address: &'s Address,
    /// The target of the page that is wanted; none after the last.
    target: Option<String>,
    /// Targets that were wanted before.
    used: HashSet<String>,
    pages: u64,
    empty: u64,
    records: u64,
    /// Whether any page said where a next one is, or that there is none.
    has_said: bool,
}

impl<'s> Pages<'s> {
    /// At the first page.
    #[must_use]
    pub fn new(shape: &'s Shape, address: &'s Address) -> Self {
        let (used, target) = (HashSet::new(), None);
        let mut pages = Self { shape, address, target, used, pages: 0, empty: 0, records: 0, has_said: false };
        pages.target = Some(pages.target(match &shape.paging {
            Paging::Page { parameter, first, .. } => Some((parameter, first.to_string())),
            Paging::Offset { parameter, .. } => Some((parameter, "0".to_owned())),
            Paging::None | Paging::Cursor { .. } | Paging::Link { .. } => None,
        }));
        pages
    }

    /// The target of the page that is wanted now; none when all is read.
    #[must_use]
    pub fn wanted(&self) -> Option<&str> {
        self.target.as_deref()
    }

    /// Takes a page: so many records, of which so many were new, and how it goes on.
    ///
    /// # Errors
    ///
    /// [`Stuck`], when going on would not end, or would leave something out.
    pub fn take(&mut self, records: usize, fresh: usize, next: &Next) -> Result<(), Stuck> {
        let Some(current) = self.target.take() else { return Ok(()) };
        self.pages += 1;
        self.records += records as u64;
        self.empty = if records == 0 { self.empty + 1 } else { 0 };
        self.has_said |= *next != Next::Unsaid;
        let Some(target) = self.after(&current, records, next)? else { return Ok(()) };
        self.used.insert(current);
        if self.used.contains(&target) || records > 0 && fresh == 0 {
            return Err(Stuck::Repeated);
        }
        if self.empty >= EMPTY_MAX {
            return Err(Stuck::Empty(self.empty));
        }
        if self.pages >= PAGES_MAX {
            return Err(Stuck::Endless);
        }
        self.target = Some(target);
        Ok(())
    }

    fn after(&self, current: &str, records: usize, next: &Next) -> Result<Option<String>, Stuck> {
        match (&self.shape.paging, next) {
            (_, Next::End) | (Paging::None, _) => Ok(None),
            (Paging::Cursor { parameter, .. }, Next::At(word)) => {
                Ok(Some(self.target(Some((parameter, word.clone())))))
            }
            (Paging::Link { .. }, Next::At(link)) => {
                self.address.follow(link, current).map(Some).ok_or_else(|| Stuck::Elsewhere(link.clone()))
            }
            (Paging::Cursor { next, .. }, _) => self.unsaid(records, next),
            (Paging::Link { next }, _) => self.unsaid(records, next.as_deref().unwrap_or("the header Link")),
            // Without a word about it only a page without records is surely the last.
            (Paging::Page { .. } | Paging::Offset { .. }, Next::Unsaid) if records == 0 => Ok(None),
            (Paging::Page { .. } | Paging::Offset { .. }, _) if records == 0 => Err(Stuck::Empty(1)),
            (Paging::Page { parameter, first, .. }, _) => {
                Ok(Some(self.target(Some((parameter, (first + self.pages).to_string())))))
            }
            // A page may be smaller than was asked for.
            (Paging::Offset { parameter, .. }, _) => Ok(Some(self.target(Some((parameter, self.records.to_string()))))),
        }
    }

    /// A page that says nothing of a next one is the last, unless no page ever did and the first could be one of many.
    fn unsaid(&self, records: usize, place: &str) -> Result<Option<String>, Stuck> {
        let is_short = self.shape.page_size.as_ref().is_some_and(|(_, size)| records < *size as usize);
        if records > 0 && !is_short && !self.has_said {
            Err(Stuck::Unnamed { page: self.pages, records, place: place.to_owned() })
        } else {
            Ok(None)
        }
    }

    fn target(&self, position: Option<(&String, String)>) -> String {
        let size = self.shape.page_size.as_ref().map(|(parameter, size)| (parameter.as_str(), size.to_string()));
        let position = position.map(|(parameter, value)| (parameter.as_str(), value));
        let parameters: Vec<(&str, String)> = size.into_iter().chain(position).collect();
        self.address.target(&self.shape.list, &parameters)
    }
}
