//! What the gateway says of the endpoint that it sends our webhooks to.

use super::{Interrupted, Pace, Sweeper};
use crate::clock::Stopwatch;
use crate::runtime::hearing::EndpointStatus;
use crate::{clock, runtime::jobs::note};
use quittance_connectors::connector::{EndpointsFact, WebhookEndpoint};
use quittance_connectors::message::Delivery;
use quittance_core::fact::{Fact, Loss};
use std::time::Duration;

/// How often it is looked at, at most and, unless lists of objects are swept more often, at least.
const EVERY: Duration = Duration::from_secs(900);

/// Pages of endpoints that are read: Stripe allows an account 16 endpoints, and Connect platforms as many again.
const PAGES_MAX: usize = 5;

/// When the endpoint was looked at last.
#[derive(Default)]
pub(super) struct Looking(Option<Stopwatch>);

impl Sweeper<'_> {
    /// Looks at the endpoint at this address, where that is due. A look to which the gateway gave no answer is none.
    pub(super) async fn look_at_endpoint(&self, url: &str, pace: Pace, looking: &mut Looking) {
        let every = EVERY.min(pace.objects);
        if looking.0.as_ref().is_some_and(|last| last.elapsed() < every) {
            return;
        }
        looking.0 = Some(Stopwatch::start());
        if let Ok(status) = self.endpoint(url).await {
            self.gateway.hearing.note_endpoint(status, clock::now());
        }
    }

    /// How the gateway keeps the endpoint; nothing where it answers and does not say, or may not say to us.
    async fn endpoint(&self, url: &str) -> Result<Option<EndpointStatus>, Interrupted> {
        let (mut found, mut after) = (Vec::new(), None::<String>);
        for _ in 0..PAGES_MAX {
            let request = self.gateway.connector.endpoints(after.as_deref());
            let Some(request) = request else { return Ok(None) };
            let delivery = self.ask(&request).await?;
            let fact = self.gateway.connector.decode_endpoints(&delivery);
            let is_known = fact != EndpointsFact::Unknown;
            // Never told to the health of the gateway: a key that may not ask this may do all else.
            note(self.gateway, "sweep", &delivery, &if is_known { Fact::Absent } else { Fact::Lost(Loss::Unclear) });
            let EndpointsFact::Page { endpoints, next } = fact else {
                let failed = || Interrupted::NoPage { word: "no endpoints".to_owned(), is_outage: true };
                return if is_answer(&delivery) { Ok(None) } else { Err(failed()) };
            };
            found.extend(endpoints.into_iter().filter(|endpoint| is_same(&endpoint.url, url)));
            match next {
                Some(next) if after.as_ref() != Some(&next) => after = Some(next),
                Some(_) => return Ok(None),
                None => return Ok(Some(status(&found))),
            }
        }
        Ok(None)
    }
}

/// Whether the gateway answered, and is neither failing nor overloaded: whoever is away takes nothing back.
fn is_answer(delivery: &Delivery) -> bool {
    matches!(delivery, Delivery::Answered(response) if response.status < 500 && response.status != 429)
}

/// Addresses are the same with and without a slash at their end.
fn is_same(one: &str, other: &str) -> bool {
    one.trim_end_matches('/') == other.trim_end_matches('/')
}

/// There may be several of one address, as for several versions of the API: one that sends is enough.
fn status(found: &[WebhookEndpoint]) -> EndpointStatus {
    match found {
        [] => EndpointStatus::Gone,
        some if some.iter().any(|endpoint| endpoint.is_enabled) => EndpointStatus::Enabled,
        _ => EndpointStatus::Disabled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_endpoint_of_an_address_that_sends_is_enough() {
        let endpoint = |is_enabled| WebhookEndpoint { url: "https://a.example/w".into(), is_enabled };
        for (found, expected) in [
            (vec![], EndpointStatus::Gone),
            (vec![endpoint(false)], EndpointStatus::Disabled),
            (vec![endpoint(false), endpoint(true)], EndpointStatus::Enabled),
        ] {
            assert_eq!(status(&found), expected, "{found:?}");
        }
        assert!(
            is_same("https://a.example/w/", "https://a.example/w")
                && !is_same("https://a.example/w", "https://b.example/w")
        );
    }
}
