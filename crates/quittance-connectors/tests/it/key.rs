//! Gateway keys: golden values, and that every part counts.

use quittance_connectors::key::{gateway_key, is_gateway_key};
use quittance_core::id::{EffectId, TenantId};

fn tenant(number: u8) -> TenantId {
    TenantId::from_bytes([number; 16])
}

fn effect(number: u8) -> EffectId {
    EffectId::from_bytes([number; 16])
}

#[test]
fn golden_values_stay() {
    // Computed apart from this code, with Python's hmac and base64.b32encode over the length-prefixed parts.
    let cases = [
        ("secret", "create", 0, "b14o4ndtlc2fff67uu6enwpebfzl"),
        ("secret", "confirm", 1, "b1tf7lu43ema73uurhtrbypwow2c"),
        ("", "cancel", u32::MAX, "b174sqoyj6x4i6vcadwb7astwkto"),
    ];
    for (secret, step, generation, expected) in cases {
        assert_eq!(gateway_key(secret.as_bytes(), tenant(1), effect(2), step, generation), expected);
    }
}

#[test]
fn the_form_is_28_characters_that_every_gateway_takes() {
    for generation in 0..500 {
        let key = gateway_key(b"secret", tenant(1), effect(2), "confirm", generation);
        assert_eq!(key.len(), 28, "{key}");
        assert!(key.starts_with("b1") && key.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'1'..=b'7')), "{key}");
        assert!(is_gateway_key(&key), "{key}");
    }
    let key = gateway_key(b"secret", tenant(1), effect(2), "confirm", 1);
    for other in ["", "b1", &key[1..], &key[..27], &format!("{key}a"), &key.to_uppercase(), &key.replace("b1", "b2")] {
        assert!(!is_gateway_key(other), "{other}");
    }
    assert!(!is_gateway_key("b1abcdefghijklmnopqrstuvwxy1"), "1 is no digit");
}

#[test]
fn every_part_counts() {
    let mut keys = vec![
        gateway_key(b"secret", tenant(1), effect(2), "confirm", 1),
        gateway_key(b"other", tenant(1), effect(2), "confirm", 1),
        gateway_key(b"secret", tenant(3), effect(2), "confirm", 1),
        gateway_key(b"secret", tenant(1), effect(3), "confirm", 1),
        gateway_key(b"secret", tenant(1), effect(2), "create", 1),
        gateway_key(b"secret", tenant(1), effect(2), "confirm", 2),
        // Parts that would be the same bytes if they were only put behind one another.
        gateway_key(b"secret", tenant(1), effect(2), "confirm1", 1),
        gateway_key(b"secret", tenant(1), effect(2), "confirm", 11),
    ];
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 8, "{keys:?}");
}
