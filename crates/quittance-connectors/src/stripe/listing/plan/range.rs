//! One range of a list that is being read, and where it is cut. Does not own when.

use super::{Shown, Span};

/// Before this nothing was created at Stripe, which opened in 2011. Only a guess of where to cut depends on it: the
/// oldest range stays open.
const FIRST_SECOND: i64 = 1_262_304_000;

/// How many pages as dense as the last one the newer part gets at most.
const PAGES_OF_A_PART: i64 = 64;

#[derive(Debug)]
pub(super) struct Range {
    pub(super) id: u64,
    pub(super) span: Span,
    /// Whether a page of it was asked for and has not come.
    pub(super) is_asked: bool,
    /// The ids of its last page; it goes on after the last of them.
    listed: Vec<String>,
}

impl Range {
    pub(super) const fn new(id: u64, span: Span) -> Self {
        Self { id, span, is_asked: false, listed: Vec::new() }
    }

    pub(super) fn cursor(&self) -> Option<&str> {
        self.listed.last().map(String::as_str)
    }

    pub(super) fn go_on_after(&mut self, shown: &Shown) {
        self.listed = shown.objects.iter().map(|(id, _)| id.clone()).collect();
    }

    /// Goes back by one object; says whether there is one to go on after.
    pub(super) fn forget_cursor(&mut self) -> bool {
        self.listed.pop();
        !self.listed.is_empty()
    }

    /// Gives the older part of what is left away, if it can be cut. What is left begins in the second `oldest`, of which
    /// there may be more: it stays here, where the cursor tells what was seen.
    pub(super) fn split(&mut self, id: u64, newest: i64, oldest: i64) -> Option<Self> {
        let first = self.span.from.unwrap_or(FIRST_SECOND);
        if oldest <= first {
            return None;
        }
        let middle = first + (oldest - first - 1) / 2;
        let dense = oldest.saturating_sub((newest - oldest).saturating_add(1).saturating_mul(PAGES_OF_A_PART));
        let cut = middle.max(dense).min(oldest - 1);
        let older = Self::new(id, Span { from: self.span.from, to: Some(cut) });
        self.span.from = Some(cut + 1);
        Some(older)
    }
}

/// How a list is ordered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    NewestFirst,
    /// Any other; such a list cannot be cut at where its pages are.
    Other,
}

impl Order {
    /// What two parts of a list show together.
    pub(super) fn both(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(Self::Other), _) | (_, Some(Self::Other)) => Some(Self::Other),
            _ => one.or(other),
        }
    }
}

/// What a page shows of the order; none where it is all of one second.
pub(super) fn order(shown: &Shown) -> Option<Order> {
    let times: Vec<Option<i64>> = shown.objects.iter().map(|(_, created)| *created).collect();
    let falls = times.iter().all(Option::is_some) && times.is_sorted_by(|one, next| one >= next);
    match (falls, times.first() == times.last()) {
        (true, true) => None,
        (true, false) => Some(Order::NewestFirst),
        (false, _) => Some(Order::Other),
    }
}

/// The first and the last time of a page.
pub(super) fn times(shown: &Shown) -> Option<(i64, i64)> {
    Some((shown.objects.first()?.1?, shown.objects.last()?.1?))
}
