//! What is listed: a list that may go on, or that hides something of ours, proves no absence.

use quittance_connectors::connector::{EventsFact, ListFact};
use quittance_connectors::message::Delivery;
use quittance_core::fact::{Fact, Loss, ObjectKind};
use serde_json::{Value, json};

use super::{Sample, all, silences};
use crate::data::{answer, json_answer, with};

impl Sample {
    pub(super) fn check_page(&self, kind: ObjectKind, delivery: &Delivery) {
        match self.connector.decode_page(kind, delivery) {
            ListFact::Failed(fact) => self.check_no_page(&fact),
            ListFact::Page { sightings, disputes, .. } => {
                let is_dispute = kind == ObjectKind::Dispute;
                assert!(if is_dispute { sightings.is_empty() } else { disputes.is_empty() }, "{}", self.name);
                assert!(sightings.iter().all(|seen| seen.kind == kind), "{}", self.name);
            }
        }
    }

    pub(super) fn check_events(&self, delivery: &Delivery) {
        if let EventsFact::Failed(fact) = self.connector.decode_events(delivery) {
            self.check_no_page(&fact);
        }
    }

    /// Why there is no page: never that something was seen, declined or absent.
    fn check_no_page(&self, fact: &Fact) {
        let claims = matches!(fact, Fact::Seen(_) | Fact::SeenDispute(_) | Fact::Absent | Fact::Declined { .. });
        assert!(!claims, "{}: {fact:?}", self.name);
    }

    fn page_of(&self, objects: &[Value]) -> ListFact {
        self.connector.decode_page(self.kind, &json_answer(200, &(self.page)(objects)))
    }
}

#[test]
fn an_empty_list_is_a_whole_one() {
    for sample in all() {
        let empty = ListFact::Page { sightings: vec![], disputes: vec![], unreadable: vec![], next: None };
        assert_eq!(sample.page_of(&[]), empty, "{}", sample.name);
    }
}

#[test]
fn nothing_that_is_listed_is_dropped() {
    for sample in all() {
        let odd = with(sample.paid.clone(), json!({"id": "x_2", "currency": "ZZZ"}));
        let ListFact::Page { sightings, unreadable, next, .. } = sample.page_of(&[sample.paid.clone(), odd]) else {
            panic!("{}: no page", sample.name)
        };
        assert_eq!((sightings.len(), unreadable.len(), next), (1, 1, None), "{}", sample.name);
        for (effect, reference) in [
            (sightings[0].effect_id, sightings[0].reference.as_deref()),
            (unreadable[0].effect_id, unreadable[0].reference.as_deref()),
        ] {
            let effect = effect.map(|id| id.to_string());
            assert!(Sample::is_ours(effect, reference), "{}: ours, and not known as that", sample.name);
        }
        assert_eq!(unreadable[0].id, "x_2", "{}", sample.name);
    }
}

#[test]
fn a_list_that_does_not_say_where_it_ends_is_none() {
    for sample in all() {
        let whole = (sample.page)(std::slice::from_ref(&sample.paid));
        for name in whole.as_object().into_iter().flat_map(|frame| frame.keys()) {
            for odd in [None, Some(json!("")), Some(json!(7)), Some(json!({}))] {
                let mut damaged = whole.clone();
                match odd {
                    Some(odd) => damaged[name] = odd,
                    None => drop(damaged.as_object_mut().and_then(|frame| frame.remove(name))),
                }
                let page = sample.connector.decode_page(sample.kind, &json_answer(200, &damaged));
                assert_eq!(page, ListFact::Failed(Fact::Lost(Loss::Unreadable)), "{}: {damaged}", sample.name);
            }
        }
        for odd in [json!(null), json!({}), json!("x_1"), json!({"id": null})] {
            let page = sample.page_of(&[sample.paid.clone(), odd.clone()]);
            assert_eq!(page, ListFact::Failed(Fact::Lost(Loss::Unreadable)), "{}: {odd}", sample.name);
        }
    }
}

#[test]
fn a_page_that_was_not_answered_is_no_page() {
    for sample in all() {
        for kind in ObjectKind::ALL {
            let fail = |delivery: &Delivery| match sample.connector.decode_page(kind, delivery) {
                ListFact::Failed(fact) => fact,
                page @ ListFact::Page { .. } => panic!("{}: {page:?}", sample.name),
            };
            for (delivery, expected) in silences() {
                assert_eq!(fail(&delivery), expected, "{}", sample.name);
            }
            for status in (100..600).filter(|status| !(200..300).contains(status)) {
                let page = (sample.page)(&[]);
                sample.check_no_page(&fail(&json_answer(status, &page)));
                sample.check_no_page(&fail(&json_answer(status, &(sample.refusal)(sample.missing))));
                sample.check_no_page(&fail(&answer(status, &[], "")));
            }
        }
    }
}
