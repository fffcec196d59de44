//! Places for events under way: who gets those that are free.
//!
//! One after the other goes to the tenant to whom the fewest are under way, and of its endpoints to the one to which the
//! fewest are. So endpoints that do not answer keep what they have, and whoever has less goes before them. Does not own how
//! many places there are.

use crate::submission::Sendable;
use quittance_core::id::{EndpointId, TenantId};
use std::collections::BTreeMap;

/// An endpoint, and whose it is.
pub(crate) type Receiver = (TenantId, EndpointId);

/// How many of the free places each of these gets, to whom at least one event is due.
pub(crate) fn share_out(waiting: &[Receiver], room: &Sendable) -> Vec<usize> {
    let mut of_tenants: BTreeMap<TenantId, usize> = BTreeMap::new();
    for ((tenant, _), count) in &room.in_flight {
        *of_tenants.entry(*tenant).or_default() += count;
    }
    let mut held: Vec<usize> = waiting.iter().map(|one| room.in_flight.get(one).copied().unwrap_or(0)).collect();
    let mut shares = vec![0; waiting.len()];
    for _ in 0..room.left {
        let of_tenant = |at: usize| of_tenants.get(&waiting[at].0).copied().unwrap_or(0);
        let may_have = |at: &usize| held[*at] < room.each_max && of_tenant(*at) < room.tenant_max;
        let next = (0..waiting.len()).filter(may_have).min_by_key(|at| (of_tenant(*at), held[*at]));
        let Some(at) = next else { break };
        shares[at] += 1;
        held[at] += 1;
        *of_tenants.entry(waiting[at].0).or_default() += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn receiver(tenant: u8, endpoint: u8) -> Receiver {
        (TenantId::from_bytes([tenant; 16]), EndpointId::from_bytes([endpoint; 16]))
    }

    fn room(left: usize, in_flight: &[(Receiver, usize)]) -> Sendable {
        Sendable { left, each_max: 16, tenant_max: 64, in_flight: in_flight.iter().copied().collect() }
    }

    #[test]
    fn an_endpoint_alone_gets_as_many_as_one_may_have() {
        assert_eq!(share_out(&[receiver(1, 1)], &room(128, &[])), [16]);
        assert_eq!(share_out(&[receiver(1, 1)], &room(128, &[(receiver(1, 1), 10)])), [6]);
        assert_eq!(share_out(&[receiver(1, 1)], &room(3, &[])), [3]);
        assert_eq!(share_out(&[], &room(3, &[])), [0; 0]);
    }

    #[test]
    fn a_tenant_of_many_endpoints_leaves_room_for_one_of_one() {
        let mut waiting: Vec<Receiver> = (1..=16).map(|endpoint| receiver(1, endpoint)).collect();
        assert_eq!(share_out(&waiting, &room(128, &[])), [4; 16], "half of the places, evenly");
        waiting.push(receiver(2, 100));
        assert_eq!(share_out(&waiting, &room(128, &[])).last(), Some(&16));
        let busy: Vec<(Receiver, usize)> = waiting[..16].iter().map(|one| (*one, 7)).collect();
        let shares = share_out(&waiting, &room(2, &busy));
        assert_eq!((shares[..16].iter().sum::<usize>(), shares[16]), (0, 2), "the next places are its");
    }

    #[test]
    fn what_is_under_way_to_an_endpoint_that_is_not_there_any_more_counts_for_its_tenant() {
        assert_eq!(share_out(&[receiver(1, 1)], &room(128, &[(receiver(1, 2), 60)])), [4]);
    }
}
