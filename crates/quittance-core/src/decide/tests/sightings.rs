//! Any order and repetition of the sightings of one history leaves the same books behind, and a journal that folds to
//! them.

use super::disputes::{Disputed, seen};
use crate::dispute::DisputeSighting;
use proptest::prelude::*;

/// One way through the machine: every look at the dispute, in the order of what happened.
#[derive(Clone, Debug)]
struct History(Vec<DisputeSighting>);

prop_compose! {
    fn history()(
        is_inquiry in any::<bool>(),
        escalates in any::<bool>(),
        ruling in 0..4u8,
        withdrawn in 1..=500i64,
        part in 1..=500i64,
        (fee, fee_back) in (0..30i64, 0..30i64),
        is_paid_first in any::<bool>(),
    ) -> History {
        let mut looks = Vec::new();
        let mut movements: Vec<(&str, i64, i64)> = Vec::new();
        if is_inquiry {
            looks.extend(["warning_needs_response", "warning_under_review"].map(|status| seen(status, &[])));
            if !escalates {
                looks.push(seen("warning_closed", &[]));
                return History(looks);
            }
        }
        looks.push(seen("needs_response", &movements));
        movements.push(("txn_1", -withdrawn, fee));
        looks.push(seen("needs_response", &movements));
        looks.push(seen("under_review", &movements));
        let words: &[&str] = match ruling {
            0 => &[],
            1 => &["lost"],
            2 => &["won"],
            _ => &["lost", "won"],
        };
        for word in words {
            if *word == "won" && is_paid_first {
                let status = looks[looks.len() - 1].status.name().to_owned();
                movements.push(("txn_2", part.min(withdrawn), -fee_back));
                looks.push(seen(&status, &movements));
            }
            looks.push(seen(word, &movements));
        }
        if words.contains(&"won") && !is_paid_first {
            movements.push(("txn_2", part.min(withdrawn), -fee_back));
            looks.push(seen("won", &movements));
        }
        History(looks)
    }
}

/// Everything at least once, in any order.
fn shuffled() -> impl Strategy<Value = (History, Vec<usize>)> {
    history().prop_flat_map(|history| {
        let count = history.0.len();
        let again = proptest::collection::vec(0..count, 0..8);
        let order = again.prop_flat_map(move |again| Just((0..count).chain(again).collect::<Vec<_>>()).prop_shuffle());
        (Just(history), order)
    })
}

fn outcome(disputed: &Disputed) -> ([i128; 4], String, i64, bool, i64) {
    let dispute = disputed.dispute();
    let (status, withdrawn) = (dispute.status.name().to_owned(), dispute.withdrawn_amount);
    (disputed.books(), status, withdrawn, dispute.is_written_off, disputed.book.newest.payment.disputed_amount)
}

proptest! {
    #[test]
    fn any_order_and_repetition_gives_the_same_books((History(looks), order) in shuffled()) {
        let mut straight = Disputed::new();
        for look in &looks {
            straight.sees(look);
        }
        let mut mixed = Disputed::new();
        for at in order {
            mixed.sees(&looks[at]);
            mixed.check_replay();
        }
        prop_assert_eq!(outcome(&straight), outcome(&mixed));
        straight.check_replay();
        for (_, sums) in mixed.book.balances.imbalance() {
            prop_assert_eq!(sums, (0, 0));
        }
        // Once everything is known, nothing is news.
        for look in &looks {
            prop_assert_eq!(mixed.sees(look), 0);
        }
    }
}
