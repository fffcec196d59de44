//! Typed ids: the TypeID text form, its order, and what is refused.

use proptest::prelude::*;
use quittance_core::id::{
    ApiKeyId, CommandId, CorrelationId, CustomerId, EffectId, HoldId, IdError, PaymentId, TenantId,
};
use uuid::Uuid;

const TEXT: &str = "pay_01h455vb4pex5vsknk084sn02q";

fn refusal(text: &str) -> IdError {
    text.parse::<PaymentId>().expect_err("the text is refused")
}

#[test]
fn text_form_follows_the_specification() {
    // From the TypeID specification's `valid.yml`, with our prefix.
    let cases = [
        ("00000000000000000000000000", "00000000-0000-0000-0000-000000000000"),
        ("00000000000000000000000001", "00000000-0000-0000-0000-000000000001"),
        ("0000000000000000000000000a", "00000000-0000-0000-0000-00000000000a"),
        ("0000000000000000000000000g", "00000000-0000-0000-0000-000000000010"),
        ("00000000000000000000000010", "00000000-0000-0000-0000-000000000020"),
        ("7zzzzzzzzzzzzzzzzzzzzzzzzz", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
        ("0123456789abcdefghjkmnpqrs", "0110c853-1d09-52d8-d73e-1194e95b5f19"),
        ("01h455vb4pex5vsknk084sn02q", "01890a5d-ac96-774b-bcce-b302099a8057"),
    ];
    for (suffix, uuid) in cases {
        let id = PaymentId::from_uuid(uuid.parse().expect("a UUID"));
        assert_eq!(id.to_string(), format!("pay_{suffix}"));
        assert_eq!(format!("pay_{suffix}").parse(), Ok(id));
    }
}

#[test]
fn every_kind_has_its_prefix() {
    let prefixes = [
        TenantId::PREFIX,
        CustomerId::PREFIX,
        PaymentId::PREFIX,
        CommandId::PREFIX,
        EffectId::PREFIX,
        ApiKeyId::PREFIX,
        CorrelationId::PREFIX,
        HoldId::PREFIX,
    ];
    assert_eq!(prefixes, ["ten", "cus", "pay", "cmd", "eff", "key", "cor", "hld"]);
    assert_eq!(format!("{:?}", HoldId::from_bytes([0; 16])), "hld_00000000000000000000000000");
}

#[test]
fn only_the_exact_text_is_read() {
    assert!(TEXT.parse::<PaymentId>().is_ok());
    let wrong = |found: &str| IdError::WrongPrefix { expected: "pay", found: found.to_owned() };
    assert_eq!(refusal("cus_01h455vb4pex5vsknk084sn02q"), wrong("cus"));
    assert_eq!(refusal("PAY_01h455vb4pex5vsknk084sn02q"), wrong(""));
    assert_eq!(refusal("payment_01h455vb4pex5vsknk084sn02q"), wrong("payment"));
    assert_eq!(refusal("4242424242424242_x"), wrong(""), "foreign text is not repeated");
    assert_eq!(refusal("01h455vb4pex5vsknk084sn02q"), wrong(""));
    assert_eq!(refusal("pay"), wrong(""));
    assert_eq!(refusal(""), wrong(""));
    assert_eq!(refusal("pay_"), IdError::WrongLength);
    assert_eq!(refusal(&TEXT[..29]), IdError::WrongLength);
    assert_eq!(refusal(&format!("{TEXT}0")), IdError::WrongLength);
    assert_eq!(refusal(&format!("{TEXT} ")), IdError::WrongLength);
    assert_eq!(refusal("pay_01H455VB4PEX5VSKNK084SN02Q"), IdError::BadCharacter('H'));
    assert_eq!(refusal("pay_01h455vb4pex5vsknk084sn02l"), IdError::BadCharacter('l'));
    assert_eq!(refusal("pay_01h455vb4pex5vsknk084sn02é"), IdError::BadCharacter('é'));
    assert_eq!(refusal("pay_80000000000000000000000000"), IdError::TooLarge);
    assert_eq!(refusal("pay_zzzzzzzzzzzzzzzzzzzzzzzzzz"), IdError::TooLarge);
}

proptest! {
    #[test]
    fn text_and_bytes_come_back(bits: u128) {
        let id = EffectId::from_uuid(Uuid::from_u128(bits));
        prop_assert_eq!(id.to_string().parse(), Ok(id));
        prop_assert_eq!(EffectId::from_bytes(id.bytes()), id);
        prop_assert_eq!(id.uuid().as_u128(), bits);
    }

    #[test]
    fn texts_sort_as_the_uuids(left: u128, right: u128) {
        let (left, right) = (CommandId::from_bytes(left.to_be_bytes()), CommandId::from_bytes(right.to_be_bytes()));
        prop_assert_eq!(left.to_string().cmp(&right.to_string()), left.uuid().cmp(&right.uuid()));
        prop_assert_eq!(left.cmp(&right), left.uuid().cmp(&right.uuid()));
    }

    #[test]
    fn an_id_has_one_text_only(text in "pay_[0-9a-zA-Z]{26}") {
        if let Ok(id) = text.parse::<PaymentId>() {
            prop_assert_eq!(id.to_string(), text);
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text: String) {
        prop_assert!(text.parse::<TenantId>().is_err());
    }
}
