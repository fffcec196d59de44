//! Card numbers in text: published test numbers are found however they are written, ids are not.

use proptest::prelude::*;
use quittance_core::id::PaymentId;
use quittance_core::pan::contains_card_number;
use uuid::Uuid;

/// Test numbers that gateways publish (docs.stripe.com/testing, docs.adyen.com test cards, PayPal's list).
const TEST_NUMBERS: [&str; 28] = [
    "4242424242424242",
    "4000056655665556",
    "4111111111111111",
    "4012888888881881",
    "4222222222222",
    "4000000000000000006",
    "5555555555554444",
    "5200828282828210",
    "5105105105105100",
    "2223003122003222",
    "2720990000000007",
    "378282246310005",
    "371449635398431",
    "340000000000009",
    "6011111111111117",
    "6011000990139424",
    "6445644564456445",
    "6500000000000002",
    "30569309025904",
    "3056930009020004",
    "36227206271667",
    "38520000023237",
    "3566002020360505",
    "3530111333300000",
    "6200000000000005",
    "6205500000000000004",
    "6759649826438453",
    "5000000000000009",
];

fn check(text: &str, is_found: bool) {
    assert_eq!(contains_card_number(text), is_found, "{text:?}");
}

/// Puts a separator before every `size`th digit.
fn grouped(number: &str, size: usize, separator: &str) -> String {
    let digits: Vec<char> = number.chars().collect();
    let groups: Vec<String> = digits.chunks(size).map(|group| group.iter().collect()).collect();
    groups.join(separator)
}

/// Appends the digit that makes a number pass the Luhn check.
fn with_check_digit(body: &str) -> String {
    let doubled = |digit: u32| digit * 2 / 10 + digit * 2 % 10;
    let digits = body.chars().rev().map(|digit| digit.to_digit(10).expect("a digit"));
    let sum: u32 = digits.enumerate().map(|(i, digit)| if i % 2 == 0 { doubled(digit) } else { digit }).sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

#[test]
fn published_test_numbers_are_found() {
    for number in TEST_NUMBERS {
        check(number, true);
        for separator in [" ", "-", "\u{a0}", "\u{2011}"] {
            check(&grouped(number, 4, separator), true);
            check(&grouped(number, 1, separator), true);
        }
        check(&format!("card={number};"), true);
        check(&format!("{{\"number\":\"{number}\"}}"), true);
        check(&format!("Order 12 {} 12 25 123", grouped(number, 4, " ")), true);
        check(&format!("カード{number}です"), true);
        check(&format!("order_{number}"), true);
    }
    // A plus sign is a space in a form, and no telephone number has 16 digits.
    check("note=amex+378282246310005", true);
    check("+4242424242424242", true);
    check("3782 822463 10005", true);
    check("3056 930902 5904", true);
}

#[test]
fn one_wrong_digit_is_not_a_card_number() {
    for number in TEST_NUMBERS {
        let last = number.chars().last().and_then(|digit| digit.to_digit(10)).expect("a digit");
        let body = &number[..number.len() - 1];
        check(&format!("{body}{}", (last + 1) % 10), false);
    }
}

#[test]
fn digits_of_longer_tokens_are_not_card_numbers() {
    for number in TEST_NUMBERS {
        check(&format!("{number}a"), false);
        check(&format!("A{number}"), false);
        check(&format!("pay_0{number}z"), false);
        check(&format!("0.{number}"), false);
        check(&format!("{number}{number}"), false);
        check(&grouped(number, 4, ", "), false);
        check(&grouped(number, 4, "\n"), false);
    }
    check("pay_01h455vb4pex5vsknk084sn02q", false);
    check("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", false);
    check("pi_3MtwBwLkdIwHu7ix28a3tqPa", false);
    // The first three groups are 4242 4242 4242 4242.
    check("42424242-4242-4242-8d0e-0123456789ab", false);
    check("x-42424242-4242-4242-8d0e-0123456789ab", false);
    check("42424242-4242-4242-8d0e-0123456789ab 4242 4242 4242 4242", true);
    check("42424242-4242-4242-8d0e-0123456789abc", true);
}

#[test]
fn ordinary_numbers_are_not_card_numbers() {
    let texts = [
        "",
        "4242",
        "424242424242",
        "1764000000000",
        "1764000000000000",
        "2026-11-21 08:13:33.123456",
        // Thirteen digits that would pass as an old Visa number, if a plus sign did not make them a telephone number.
        "+49 1512 3456787",
        "Tel. (+4915123456787)",
        "DE89370400440532013000",
        "DE89 3704 0044 0532 0130 00",
        "1 2 3 4 5 6 7 8 9 10 11 12",
        "0000000000000000",
        // Right check digit, no issuer or no length of that issuer.
        "9111111111111111119",
        "40000000000002",
        "55555555555557",
    ];
    for text in texts {
        check(text, false);
    }
}

proptest! {
    #[test]
    fn numbers_of_an_issuer_are_found(body in "4[0-9]{14}|5[1-5][0-9]{13}|3[47][0-9]{12}|62[0-9]{13,16}|36[0-9]{11}") {
        let number = with_check_digit(&body);
        prop_assert!(contains_card_number(&number));
        let sentence = format!("mein Kärtchen: {}.", grouped(&number, 4, " "));
        prop_assert!(contains_card_number(&sentence));
    }

    #[test]
    fn ids_are_never_card_numbers(bits: u128) {
        let uuid = Uuid::from_u128(bits);
        prop_assert!(!contains_card_number(&uuid.to_string()));
        prop_assert!(!contains_card_number(&uuid.simple().to_string()));
        prop_assert!(!contains_card_number(&PaymentId::from_uuid(uuid).to_string()));
    }

    #[test]
    fn a_uuid_of_digits_is_never_a_card_number(text in "[0-9]{8}-[0-9]{4}-4[0-9]{3}-[0-9]{4}-[0-9]{12}") {
        prop_assert!(!contains_card_number(&text));
    }

    #[test]
    fn no_text_makes_it_panic(text: String, digits in "[0-9 \\-a\u{a0}é.]{0,80}") {
        let _ = contains_card_number(&text);
        let _ = contains_card_number(&digits);
    }
}

#[test]
fn groups_as_on_cards_are_joined_by_other_marks_too() {
    for text in [
        "4242_4242_4242_4242",
        "4242/4242/4242/4242",
        "4242.4242.4242.4242",
        "4242,4242,4242,4242",
        "4242  4242  4242  4242",
        "3782_822463_10005",
    ] {
        assert!(contains_card_number(text), "{text}");
    }
    for text in ["4,242,424,242,424,242", "42.42 42.42", "12.3456", "2026/11/21, 4242"] {
        assert!(!contains_card_number(text), "{text}");
    }
}
