//! What a plan reads of any list: each object once, in about one request for each page, and never for ever.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::stripe::listing::plan::{Ask, Plan, Shown, Stuck};

const RANGES: usize = 8;

/// Objects that are created while a list is read.
const INSERTIONS: usize = 40;

/// A provider with objects created at these seconds; their ids tell their order.
struct Provider {
    created: Vec<(i64, usize)>,
    page: usize,
    is_newest_first: bool,
    ignores_spans: bool,
    requests: usize,
}

impl Provider {
    fn new(times: &[i64], page: usize) -> Self {
        let created = times.iter().enumerate().map(|(number, time)| (*time, number)).collect();
        Self { created, page, is_newest_first: true, ignores_spans: false, requests: 0 }
    }

    fn add(&mut self, time: i64) {
        self.created.push((time, self.created.len()));
    }

    fn answer(&mut self, ask: &Ask) -> (Vec<(String, Option<i64>)>, bool) {
        self.requests += 1;
        let mut listed = self.created.clone();
        listed.sort_unstable();
        if self.is_newest_first {
            listed.reverse();
        }
        let begin = ask.after.as_ref().map_or(0, |after| {
            1 + listed.iter().position(|(_, number)| number.to_string() == *after).expect("a cursor that was listed")
        });
        let is_in = |time: i64| self.ignores_spans || ask.span.contains(Some(time));
        let rest: Vec<_> = listed[begin..].iter().filter(|(time, _)| is_in(*time)).collect();
        let objects = rest.iter().take(self.page).map(|(time, number)| (number.to_string(), Some(*time)));
        (objects.collect(), rest.len() > self.page)
    }
}

/// Reads it all with answers in an order drawn from `dice`; what was handed over, and in how many requests.
fn read(provider: &mut Provider, plan: &mut Plan, bound: i64, dice: &mut impl FnMut(usize) -> usize) -> Vec<String> {
    let (mut seen, mut handed) = (BTreeSet::new(), Vec::new());
    let mut in_flight = Vec::new();
    let mut insertions = INSERTIONS;
    while !plan.is_done() {
        while in_flight.len() < RANGES
            && let Some(ask) = plan.ask()
        {
            // What the provider sends is of when it was asked.
            let answer = provider.answer(&ask);
            in_flight.push((ask, answer));
        }
        let (ask, (objects, has_more)) = in_flight.swap_remove(dice(in_flight.len()));
        plan.set_bound(bound);
        if insertions > 0 {
            provider.add(bound + 1);
            insertions -= 1;
        }
        let before = seen.len();
        let fresh = objects.iter().filter(|(id, _)| seen.insert(id.clone())).collect::<Vec<_>>();
        handed.extend(fresh.into_iter().filter(|(_, created)| plan.wants(*created)).map(|(id, _)| id.clone()));
        let shown = Shown { fresh: seen.len() - before, objects, has_more };
        plan.page(&ask, &shown).expect("progress");
    }
    assert!(in_flight.iter().all(|_| provider.ignores_spans), "nothing is under way when all is read");
    handed
}

fn times() -> impl Strategy<Value = Vec<i64>> {
    const YEAR: i64 = 31_536_000;
    let anywhere = prop::collection::vec(1_300_000_000_i64..1_300_000_000 + 10 * YEAR, 0..300);
    let one_second = (1_300_000_000_i64..1_700_000_000, 0_usize..200).prop_map(|(time, count)| vec![time; count]);
    let one_minute = prop::collection::vec(1_600_000_000_i64..1_600_000_060, 0..300);
    // Ever more of them, the later the more.
    let growing = prop::collection::vec(0_i64..700, 0..300)
        .prop_map(|roots| roots.into_iter().map(|root| 1_600_000_000 - root * root * root).collect());
    let ancient = prop::collection::vec(0_i64..1_300_000_000, 0..60);
    (prop_oneof![anywhere, one_second.clone(), one_minute, growing, ancient], one_second)
        .prop_map(|(one, other)| [one, other].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// B27 and the rest: any times, any page, answers in any order, objects that are created meanwhile.
    #[test]
    fn every_object_is_read_once(
        times in times(), page in 1_usize..12, seed in any::<u64>(),
        is_newest_first in prop::bool::weighted(0.8), ignores_spans in prop::bool::weighted(0.2),
    ) {
        let bound = 2_000_000_000;
        let mut provider = Provider { is_newest_first, ignores_spans, ..Provider::new(&times, page) };
        let mut state = seed;
        let mut dice = |sides: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).expect("31 bits") % sides
        };
        let mut handed = read(&mut provider, &mut Plan::new(RANGES, None), bound, &mut dice);
        handed.sort_unstable();
        let mut expected: Vec<String> = (0..times.len()).map(|number| number.to_string()).collect();
        expected.sort_unstable();
        prop_assert_eq!(handed, expected);
        // One more for each split, of which there are few; beside them the pages that came into being meanwhile.
        let pages = times.len().div_ceil(page).max(1);
        if is_newest_first && !ignores_spans {
            let slack = 2 * RANGES + provider.requests / 16 + 2;
            prop_assert!(provider.requests <= pages + slack, "{} for {} pages", provider.requests, pages);
        }
    }
}

#[test]
fn a_long_list_takes_about_a_request_for_each_page_and_few_rounds() {
    // Seven objects a minute for a year.
    let times: Vec<i64> = (0..50_000).map(|number| 1_700_000_000 + number * 9).collect();
    let mut provider = Provider::new(&times, 100);
    let mut plan = Plan::new(RANGES, Some(2_000_000_000));
    let (mut rounds, mut seen) = (0, BTreeSet::new());
    while !plan.is_done() {
        let asks: Vec<Ask> = std::iter::from_fn(|| plan.ask()).take(RANGES).collect();
        rounds += 1;
        for ask in asks {
            let (objects, has_more) = provider.answer(&ask);
            let before = seen.len();
            seen.extend(objects.iter().map(|(id, _)| id.clone()));
            plan.page(&ask, &Shown { objects, fresh: seen.len() - before, has_more }).unwrap();
        }
    }
    assert_eq!(seen.len(), 50_000);
    assert!(provider.requests <= 500 + 2 * RANGES + 500 / 16, "{} requests for 500 pages", provider.requests);
    assert!(rounds <= 110, "{rounds} rounds, one after the other they would be 500");
}

fn shown(ids: &[&str], fresh: usize, has_more: bool) -> Shown {
    let objects = ids.iter().zip(0..).map(|(id, at)| ((*id).to_owned(), Some(1_700_000_000 - at))).collect();
    Shown { objects, fresh, has_more }
}

#[test]
fn b30_a_repeated_cursor_ends_the_reading() {
    let mut plan = Plan::new(RANGES, None);
    let ask = plan.ask().unwrap();
    plan.page(&ask, &shown(&["b", "a"], 2, true)).unwrap();
    let ask = plan.ask().unwrap();
    assert_eq!(ask.after.as_deref(), Some("a"));
    assert_eq!(plan.page(&ask, &shown(&["b", "a"], 0, true)), Err(Stuck::Repeated));
}

#[test]
fn b31_a_page_without_anything_that_says_more_ends_the_reading() {
    let mut plan = Plan::paged();
    let ask = plan.ask().unwrap();
    assert_eq!(plan.page(&ask, &shown(&[], 0, true)), Err(Stuck::Empty));
}

#[test]
fn a_provider_that_refuses_spans_is_read_page_by_page() {
    let mut plan = Plan::new(RANGES, None);
    let first = plan.ask().unwrap();
    plan.set_bound(1_800_000_000);
    plan.page(&first, &shown(&["b", "a"], 2, true)).unwrap();
    let asks = [plan.ask().unwrap(), plan.ask().unwrap()];
    assert!(asks.iter().all(|ask| plan.refuse_span(ask)));
    let again = plan.ask().unwrap();
    assert_eq!((again.span.from, again.span.to, again.after.as_deref()), (None, None, Some("a")));
    assert!(!plan.refuse_span(&again), "what has no span cannot be refused for it");
    assert_eq!(plan.ask(), None);
    plan.page(&again, &shown(&["z"], 1, false)).unwrap();
    assert!(plan.is_done());
}

/// A deletion while the list is read takes the object away after which it was to go on.
#[test]
fn a_lost_cursor_goes_back_by_one() {
    let mut plan = Plan::paged();
    let ask = plan.ask().unwrap();
    plan.page(&ask, &shown(&["c", "b", "a"], 3, true)).unwrap();
    for expected in ["a", "b", "c"] {
        let ask = plan.ask().unwrap();
        assert_eq!(ask.after.as_deref(), Some(expected));
        let outcome = plan.lose_cursor(&ask);
        assert_eq!(outcome, if expected == "c" { Err(Stuck::Lost) } else { Ok(()) });
    }
}
