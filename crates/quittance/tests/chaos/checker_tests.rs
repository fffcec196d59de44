//! Owns: the proof that the checker finds each anomaly, accuses no history that some order explains, and agrees with a search
//! through all orders.

use super::{Anomaly, Append, Read, check};
use crate::demo::dice::Dice;

fn append(value: &str, began: u64, ended: Option<u64>) -> Append {
    Append { value: value.to_owned(), began, ended }
}

fn list(values: &str) -> Vec<String> {
    values.split_whitespace().map(str::to_owned).collect()
}

fn read(values: &str, began: u64, ended: u64) -> Read {
    Read { values: list(values), began, ended }
}

#[test]
fn what_some_order_explains_is_accepted() {
    // `a` and `b` overlap, and `b` came first; a read beside them saw one of them.
    let appends = [append("a", 0, Some(10)), append("b", 5, Some(9)), append("c", 20, Some(30))];
    let reads = [read("", 1, 8), read("b", 1, 12), read("b a", 6, 25), read("b a", 21, 40), read("b a c", 31, 32)];
    assert_eq!(check(&appends, &reads, &list("b a c")), Ok(()));
    assert_eq!(check(&[], &[], &[]), Ok(()));
}

#[test]
fn an_unknown_outcome_may_be_either_and_at_any_time() {
    let lost = append("x", 5, None);
    let done = append("a", 0, Some(3));
    // It never was.
    assert_eq!(check(&[lost.clone(), done.clone()], &[read("a", 6, 7)], &list("a")), Ok(()));
    // It came long after its client had gone, behind what began later.
    let late = append("b", 10, Some(12));
    let all = [lost, done, late];
    assert_eq!(check(&all, &[read("a b", 13, 14)], &list("a b x")), Ok(()));
    // It was not there before it was asked for, however little is known of it.
    let early = check(&all, &[read("a x", 3, 4)], &list("a x b"));
    assert_eq!(early, Err(Anomaly::RealTime { first: "a read of 2".to_owned(), second: "x".to_owned() }));
}

#[test]
fn a_lost_update_is_found() {
    let appends = [append("a", 0, Some(1)), append("b", 2, Some(3))];
    assert_eq!(check(&appends, &[], &list("b")), Err(Anomaly::Lost { value: "a".to_owned() }));
    // Seen once, and undone.
    let fork = check(&[append("a", 0, None), append("b", 2, Some(3))], &[read("a", 1, 2)], &list("b"));
    assert_eq!(fork, Err(Anomaly::Fork { seen: list("a") }));
}

#[test]
fn a_duplicate_and_what_nobody_added_are_found() {
    let appends = [append("a", 0, Some(1))];
    assert_eq!(check(&appends, &[], &list("a a")), Err(Anomaly::Duplicate { value: "a".to_owned() }));
    assert_eq!(check(&appends, &[read("a a", 2, 3)], &list("a")), Err(Anomaly::Duplicate { value: "a".to_owned() }));
    assert_eq!(check(&appends, &[], &list("a z")), Err(Anomaly::Phantom { value: "z".to_owned() }));
}

#[test]
fn a_stale_read_is_found() {
    let appends = [append("a", 0, Some(1)), append("b", 2, Some(3))];
    // It began after `b` was acknowledged, and does not see it.
    let stale = check(&appends, &[read("a", 4, 5)], &list("a b"));
    assert_eq!(stale, Err(Anomaly::RealTime { first: "b".to_owned(), second: "a read of 1".to_owned() }));
    // It saw less than a read that had ended, though the addition itself had no end yet.
    let appends = [append("a", 0, Some(20))];
    let back = check(&appends, &[read("a", 2, 3), read("", 4, 5)], &list("a"));
    assert_eq!(back, Err(Anomaly::RealTime { first: "a read of 1".to_owned(), second: "a read of 0".to_owned() }));
}

#[test]
fn an_order_against_the_clock_is_found() {
    let appends = [append("a", 0, Some(1)), append("b", 2, Some(3))];
    let told = Err(Anomaly::RealTime { first: "a".to_owned(), second: "b".to_owned() });
    assert_eq!(check(&appends, &[], &list("b a")), told);
}

/// Small histories, most of them damaged somehow: the checker says of each what a search through all orders says.
#[test]
fn a_search_through_all_orders_says_the_same() {
    let (mut good, mut bad) = (0, 0);
    for seed in 0..4_000 {
        let mut dice = Dice::new(seed, 7);
        let (appends, reads, last) = some_history(&mut dice);
        let found = check(&appends, &reads, &last).is_ok();
        assert_eq!(found, is_explained(&appends, &reads, &last), "{seed}: {appends:?} {reads:?} {last:?}");
        if found { good += 1 } else { bad += 1 }
    }
    assert!(good > 400 && bad > 400, "{good} good and {bad} bad histories prove little");
}

fn some_history(dice: &mut Dice) -> (Vec<Append>, Vec<Read>, Vec<String>) {
    let mut last = list(dice.pick(&["", "a", "a b", "b a", "a b c", "b c"]));
    let mut appends = Vec::new();
    for value in ["a", "b", "c"] {
        let began = dice.roll(8);
        if last.iter().any(|there| there == value) || dice.hits(150) {
            appends.push(append(value, began, Some(began + dice.between(1, 4)).filter(|_| !dice.clone().hits(300))));
        }
        dice.next();
    }
    let reads = (0..dice.roll(3)).map(|_| {
        let began = dice.roll(10);
        let seen = usize::try_from(dice.roll(4)).unwrap_or(0).min(last.len());
        Read { values: last[..seen].to_vec(), began, ended: began + dice.between(1, 4) }
    });
    let reads = reads.collect();
    if dice.hits(30) {
        last.reverse();
    }
    (appends, reads, last)
}

/// One of the operations of a history, for the search.
#[derive(Clone, Copy)]
enum Step<'a> {
    Append(&'a Append),
    Read(&'a Read),
}

fn is_explained(appends: &[Append], reads: &[Read], last: &[String]) -> bool {
    let steps: Vec<Step<'_>> = appends.iter().map(Step::Append).chain(reads.iter().map(Step::Read)).collect();
    search(&steps, &mut Vec::new(), &mut Vec::new(), last)
}

/// Tries every order in which nothing comes before what had ended when it began; what has no end may be left out.
fn search(steps: &[Step<'_>], done: &mut Vec<usize>, state: &mut Vec<String>, last: &[String]) -> bool {
    let end = |at: usize| match steps[at] {
        Step::Append(append) => append.ended,
        Step::Read(read) => Some(read.ended),
    };
    let began = |at: usize| match steps[at] {
        Step::Append(append) => append.began,
        Step::Read(read) => read.began,
    };
    let open: Vec<usize> = (0..steps.len()).filter(|at| !done.contains(at)).collect();
    if open.iter().all(|at| end(*at).is_none()) && state == last {
        return true;
    }
    for &at in &open {
        if open.iter().any(|other| end(*other).is_some_and(|end| end < began(at))) {
            continue;
        }
        let is_append = match steps[at] {
            Step::Read(read) if read.values != *state => continue,
            Step::Read(_) => false,
            Step::Append(append) => {
                state.push(append.value.clone());
                true
            }
        };
        done.push(at);
        let found = search(steps, done, state, last);
        done.pop();
        if is_append {
            state.pop();
        }
        if found {
            return true;
        }
    }
    false
}
