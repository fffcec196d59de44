//! The ledger, read beside the process that writes it.

use super::{check_error, find, read, read_all, side};
use quittance_core::currency::Currency;
use quittance_core::customer::Customer;
use quittance_core::dispute::{Dispute, DisputeStatus};
use quittance_core::fact::{Decline, ObjectKind};
use quittance_core::id::{CommandId, CustomerId, DisputeId, EffectId, PaymentId, RefundId, TenantId};
use quittance_core::money::Money;
use quittance_core::payment::{CaptureMethod, Payment, Status};
use quittance_core::record::value::{Type, Value};
use quittance_core::refund::{Refund, RefundStatus};
use quittance_core::tenant::{Mode, Tenant};
use quittance_core::time::Timestamp;
use quittance_server::data::Data;
use quittance_server::systems::ledger::Ledger;
use quittance_server::systems::{Blame, System, Wanted};
use quittance_sqlite::{SqliteDatabase, SqliteStore};
use quittance_store::records::Entity;
use quittance_store::store::{Change, Loaded, Read, Store, Work};
use std::collections::BTreeMap;
use tempfile::TempDir;

/// Inserts rows, whatever they are.
struct Insert(Vec<Change>);

impl Work for Insert {
    fn reads(&mut self, _loaded: &Loaded) -> Vec<Read> {
        Vec::new()
    }

    fn decide(&mut self, _loaded: &Loaded) -> Result<Vec<Change>, String> {
        Ok(self.0.clone())
    }
}

fn row<T: Entity>(entity: &T) -> Change {
    Change::Insert { table: T::table(), row: entity.to_row() }
}

/// Sixteen bytes that sort as their number does.
fn bytes(number: u16) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[14..].copy_from_slice(&number.to_be_bytes());
    bytes
}

const AT: Timestamp = Timestamp(1_769_853_600_000_000);

fn tenant(number: u16, name: &str) -> Tenant {
    Tenant {
        id: TenantId::from_bytes(bytes(number)),
        name: name.to_owned(),
        mode: Mode::Test,
        fingerprint_secret: [1; 32],
        gateway_key_secret: [2; 32],
        created_at: AT,
    }
}

fn payment(tenant: u16, number: u16) -> Payment {
    Payment {
        id: PaymentId::from_bytes(bytes(number)),
        book: CustomerId::from_bytes(bytes(1)),
        tenant: TenantId::from_bytes(bytes(tenant)),
        command: CommandId::from_bytes(bytes(number)),
        effect: EffectId::from_bytes(bytes(number)),
        money: Money::new(1_999, Currency::from_code("USD").unwrap()),
        gateway: "stripe".to_owned(),
        payment_method: "pm_1".to_owned(),
        capture_method: CaptureMethod::Automatic,
        return_url: None,
        reference: format!("order-{number}"),
        status: Status::Failed,
        captured_amount: 0,
        refunded_amount: 0,
        refunding_amount: 0,
        disputed_amount: 0,
        returned_amount: 0,
        parked_by: None,
        gateway_object: Some(format!("pi_{number}")),
        object_kind: ObjectKind::Payment,
        decline: Some(Decline { code: "card_declined".to_owned(), is_retryable: true }),
        next_action: None,
        description: None,
        metadata: BTreeMap::from([("plan".to_owned(), "pro".to_owned())]),
        created_at: Timestamp(AT.0 + i64::from(number)),
    }
}

fn customer(tenant: u16, number: u16) -> Customer {
    Customer {
        id: CustomerId::from_bytes(bytes(number)),
        tenant: TenantId::from_bytes(bytes(tenant)),
        external_id: Some(format!("user-{number}")),
        name: None,
        email: Some("a@example.com".to_owned()),
        currency: None,
        timezone: None,
        gateway_ids: BTreeMap::from([("stripe".to_owned(), format!("cus_{number}"))]),
        metadata: BTreeMap::new(),
        created_at: AT,
    }
}

/// Data of these, and its writer, still running.
fn data(changes: Vec<Change>) -> (TempDir, SqliteStore) {
    let folder = TempDir::new().unwrap();
    let mut store = SqliteDatabase::open_for_writing(folder.path()).unwrap();
    store.transact("test", &mut Insert(changes)).unwrap();
    (folder, store)
}

#[test]
fn payments_have_the_fields_of_the_api() {
    let (folder, _writer) = data(vec![row(&tenant(1, "acme")), row(&payment(1, 7))]);
    let mut ledger = Ledger::open("ours", &folder.path().into(), None).unwrap();
    let description = ledger.describe("payment").unwrap();
    assert_eq!(description.identity, ["id"]);
    assert!(description.columns.contains(&("created_at".to_owned(), Some(Type::Timestamp))));
    let id = PaymentId::from_bytes(bytes(7));
    let columns = ["id", "status", "amount", "currency", "gateway_id", "created_at", "parked_by"];
    assert_eq!(
        read_all(&mut ledger, "payment", &columns),
        [format!(
            "Text {id} | Text failed | Number 1999 | Text USD | Text pi_7 | Timestamp 2026-01-31T10:00:00.000007Z | NULL"
        )]
    );
    let columns = ["metadata", "/metadata/plan", "metadata|/plan", "/metadata/none", "/decline/code", "decline"];
    assert_eq!(
        read_all(&mut ledger, "payment", &columns),
        ["Json {\"plan\":\"pro\"} | Text pro | Text pro | (absent) | Text card_declined | \
         Json {\"code\":\"card_declined\",\"retryable\":true}"]
    );
}

/// Every field is in the view of the API under the same name, with the same words.
#[test]
fn fields_agree_with_the_view_of_the_api() {
    let one = payment(1, 7);
    let refund = Refund {
        id: RefundId::from_bytes(bytes(8)),
        book: one.book,
        tenant: one.tenant,
        payment: one.id,
        command: one.command,
        effect: one.effect,
        money: one.money,
        gateway: one.gateway.clone(),
        reference: None,
        reason: Some("duplicate".to_owned()),
        status: RefundStatus::Pending,
        parked_by: None,
        gateway_object: None,
        failure_code: None,
        created_at: AT,
    };
    let dispute = Dispute {
        id: DisputeId::from_bytes(bytes(9)),
        book: one.book,
        tenant: one.tenant,
        payment: one.id,
        gateway: one.gateway.clone(),
        object_id: "dp_1".to_owned(),
        status: DisputeStatus::NeedsResponse,
        money: one.money,
        reason: "fraudulent".to_owned(),
        evidence_due_by: Some(AT),
        submissions: 2,
        withdrawn_amount: 1_999,
        is_written_off: false,
        created_at: AT,
    };
    let customer = customer(1, 1);
    use quittance_server::render::{CustomerView, DisputeView, PaymentView, RefundView};
    let views = [
        ("payment", serde_json::to_value(PaymentView::of(&one)).unwrap()),
        ("refund", serde_json::to_value(RefundView::of(&refund)).unwrap()),
        ("dispute", serde_json::to_value(DisputeView::of(&dispute)).unwrap()),
        ("customer", serde_json::to_value(CustomerView::of(&customer)).unwrap()),
    ];
    let rows = vec![row(&tenant(1, "acme")), row(&one), row(&refund), row(&dispute), row(&customer)];
    let (folder, _writer) = data(rows);
    let mut ledger = Ledger::open("ours", &folder.path().into(), Some("acme")).unwrap();
    for (object, view) in views {
        let names: Vec<String> = ledger.describe(object).unwrap().columns.into_iter().map(|(name, _)| name).collect();
        let left_out = |name: &str| !["object", "correlation_id"].contains(&name);
        let mut expected: Vec<&str> =
            view.as_object().unwrap().keys().map(String::as_str).filter(|name| left_out(name)).collect();
        let mut found: Vec<&str> = names.iter().map(String::as_str).collect();
        expected.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, expected, "{object}");
        for name in found {
            let shown = read_all(&mut ledger, object, &[name]);
            let value = quittance_connectors::record::value_of(&view[name]);
            let said = shown[0].split_once(' ').map_or(shown[0].as_str(), |(_, said)| said);
            assert_eq!(said, value.to_string(), "{object}.{name}");
        }
    }
}

#[test]
fn pages_hold_every_record_of_the_tenant_once_and_nobody_elses() {
    let mut rows = vec![row(&tenant(1, "acme")), row(&tenant(2, "other"))];
    rows.extend((1..=1_200).map(|number| row(&payment(1, number))));
    rows.push(row(&payment(2, 2_000)));
    rows.extend([row(&customer(1, 1)), row(&customer(2, 2))]);
    let (folder, _writer) = data(rows);
    let mut ledger = Ledger::open("ours", &folder.path().into(), Some("acme")).unwrap();
    let ids = read_all(&mut ledger, "payment", &["reference"]);
    assert_eq!(ids.len(), 1_200);
    assert_eq!((ids[0].as_str(), ids[1_199].as_str()), ("Text order-1", "Text order-1200"));
    assert_eq!(read_all(&mut ledger, "customer", &["external_id"]), ["Text user-1"]);
    let id = |number: u16| Value::Text(PaymentId::from_bytes(bytes(number)).to_string().into());
    assert!(ledger.can_find("payment", &side(&["id"]), &[0]));
    assert!(ledger.can_find("payment", &side(&["reference"]), &[0]));
    assert!(ledger.can_find("customer", &side(&["external_id"]), &[0]));
    assert!(!ledger.can_find("payment", &side(&["gateway_id"]), &[0]));
    assert!(!ledger.can_find("payment", &side(&["id", "reference"]), &[0, 1]));
    let wanted: &[&[Value<'static>]] = &[&[id(5)], &[id(5)], &[id(2_000)], &[id(3_000)], &[Value::text("pay_none")]];
    assert_eq!(find(&mut ledger, "payment", &["reference", "id"], &[1], wanted).len(), 1);
    let by_text: &[&[Value<'static>]] = &[&[Value::text("order-9")], &[Value::Untyped("order-2000".into())]];
    assert_eq!(find(&mut ledger, "payment", &["reference"], &[0], by_text), ["Text order-9"]);
    let by_gateway_id: &[&[Value<'static>]] = &[&[Value::text("pi_700")]];
    assert_eq!(find(&mut ledger, "payment", &["gateway_id"], &[0], by_gateway_id), ["Text pi_700"]);
    let user: &[&[Value<'static>]] = &[&[Value::text("user-2")]];
    assert!(find(&mut ledger, "customer", &["external_id"], &[0], user).is_empty());
}

#[test]
fn what_is_not_there_is_a_mistake_of_the_configuration() {
    let (folder, _writer) = data(vec![row(&tenant(1, "acme")), row(&tenant(2, "other"))]);
    let is = Blame::Configuration;
    let open = |tenant| Ledger::open("ours", &folder.path().into(), tenant);
    check_error(open(None), is, &["several tenants", "tenant = \"acme\""]);
    check_error(open(Some("acne")), is, &["no tenant `acne`", "did you mean `acme`?"]);
    let other = TenantId::from_bytes(bytes(2)).to_string();
    assert!(Ledger::open("ours", &folder.path().into(), Some(&other)).is_ok());
    check_error(
        Ledger::open("ours", &Data::directory(folder.path().join("no")), None),
        is,
        &["cannot be read", "--data"],
    );
    let mut ledger = open(Some("acme")).unwrap();
    check_error(ledger.describe("payments"), is, &["no object `payments`", "did you mean `payment`?"]);
    check_error(
        read(&mut ledger, "payment", &["amont"], &Wanted::All),
        is,
        &["no column `amont`", "did you mean `amount`?"],
    );
    let (empty, _writer) = data(Vec::new());
    check_error(Ledger::open("ours", &empty.path().into(), None), is, &["there is no tenant in"]);
}
