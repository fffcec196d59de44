//! Owns: checked requests, and how each endpoint reads its parameters. Does not own: what they
//! do. (Payment intents have their own file, `payment_params`.)

use super::billing::BillingOperation;
use super::endpoint::Endpoint;
use super::list_query::{ListQuery, list};
use super::money_params::{self, ChargeDraft, EvidencePatch, PayoutDraft, RefundDraft};
use super::params::{MetadataPatch, Params};
use super::payment_params::{self, Confirmation, IntentDraft, IntentPatch};
use crate::answer::ApiError;

/// A request whose parameters are all understood. Ids may still name nothing.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    CreateIntent(Box<IntentDraft>),
    ReadIntent(Expand),
    ListIntents(ListQuery, Expand),
    UpdateIntent(Box<IntentPatch>),
    ConfirmIntent(Confirmation),
    CancelIntent { reason: Option<&'static str>, expand: Expand },
    CaptureIntent { amount: Option<i64>, expand: Expand },
    ReadCharge(Expand),
    ListCharges(ListQuery),
    ReadEvent,
    ListEvents(ListQuery),
    ListWebhookEndpoints(ListQuery),
    CreateCustomer(CustomerPatch),
    UpdateCustomer(CustomerPatch),
    ReadCustomer,
    ListCustomers(ListQuery),
    DeleteCustomer,
    ReadMethod,
    ListMethods(ListQuery),
    AttachMethod { customer: String },
    DetachMethod,
    CreateRefund(RefundDraft),
    ReadRefund(Expand),
    ListRefunds(ListQuery),
    UpdateRefund(Option<MetadataPatch>),
    CancelRefund,
    ReadBalance,
    ReadTransaction,
    ListTransactions(ListQuery),
    CreatePayout(PayoutDraft),
    ReadPayout(Expand),
    ListPayouts(ListQuery),
    CancelPayout,
    ReadDispute,
    ListDisputes(ListQuery),
    UpdateDispute(EvidencePatch),
    CloseDispute,
    CreateCharge(Box<ChargeDraft>),
    CaptureCharge { amount: Option<i64> },
    Billing(Box<BillingOperation>),
}

/// What is to be an object instead of an id; nothing else can be expanded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Expand {
    #[default]
    Nothing,
    LatestCharge,
    BalanceTransaction,
}

/// What creating and updating a customer share. `Some("")` unsets.
#[derive(Debug, Clone, Default)]
pub(crate) struct CustomerPatch {
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) metadata: Option<MetadataPatch>,
}

impl Operation {
    /// Effects of parameters, not of state: nothing refused here ever reaches the idempotency layer.
    pub(crate) fn read(endpoint: Endpoint, mut params: Params) -> Result<Self, ApiError> {
        let operation = match endpoint {
            Endpoint::CreateIntent => Self::CreateIntent(Box::new(payment_params::draft(&mut params)?)),
            Endpoint::UpdateIntent => Self::UpdateIntent(Box::new(payment_params::patch(&mut params)?)),
            Endpoint::ConfirmIntent => Self::ConfirmIntent(payment_params::confirmation(&mut params)?),
            Endpoint::CancelIntent => Self::CancelIntent {
                reason: payment_params::reason(&mut params)?,
                expand: expand(&mut params, "latest_charge")?,
            },
            Endpoint::CaptureIntent => Self::CaptureIntent {
                amount: payment_params::capture(&mut params)?,
                expand: expand(&mut params, "latest_charge")?,
            },
            Endpoint::ReadIntent => {
                params.ignore(&["client_secret"]);
                Self::ReadIntent(expand(&mut params, "latest_charge")?)
            }
            Endpoint::ListIntents => {
                let query = list(&mut params, &["customer"])?;
                Self::ListIntents(query, expand(&mut params, "data.latest_charge")?)
            }
            Endpoint::ReadCharge => Self::ReadCharge(expand(&mut params, "balance_transaction")?),
            Endpoint::ListCharges => Self::ListCharges(list(&mut params, &["customer", "payment_intent"])?),
            Endpoint::ReadEvent => Self::ReadEvent,
            Endpoint::ListEvents => Self::ListEvents(list(&mut params, &["type"])?),
            Endpoint::ListWebhookEndpoints => Self::ListWebhookEndpoints(list(&mut params, &[])?),
            Endpoint::CreateCustomer => Self::CreateCustomer(customer(&mut params)?),
            Endpoint::UpdateCustomer => Self::UpdateCustomer(customer(&mut params)?),
            Endpoint::ReadCustomer => Self::ReadCustomer,
            Endpoint::ListCustomers => Self::ListCustomers(list(&mut params, &["email"])?),
            Endpoint::DeleteCustomer => Self::DeleteCustomer,
            Endpoint::ReadMethod => Self::ReadMethod,
            Endpoint::ListMethods => {
                params.ignore(&["type"]);
                Self::ListMethods(list(&mut params, &["customer"])?)
            }
            Endpoint::AttachMethod => {
                let customer = params.word("customer")?;
                Self::AttachMethod { customer: customer.ok_or_else(|| ApiError::missing_parameter("customer"))? }
            }
            Endpoint::DetachMethod => Self::DetachMethod,
            of_money => Self::read_money(of_money, &mut params)?,
        };
        params.finish()?;
        Ok(operation)
    }

    fn read_money(endpoint: Endpoint, params: &mut Params) -> Result<Self, ApiError> {
        Ok(match endpoint {
            Endpoint::CreateRefund => Self::CreateRefund(money_params::refund(params)?),
            Endpoint::ReadRefund => Self::ReadRefund(expand(params, "balance_transaction")?),
            Endpoint::ListRefunds => Self::ListRefunds(list(params, &["charge", "payment_intent"])?),
            Endpoint::UpdateRefund => Self::UpdateRefund(params.metadata()?),
            Endpoint::CancelRefund => Self::CancelRefund,
            Endpoint::ReadBalance => Self::ReadBalance,
            Endpoint::ReadTransaction => Self::ReadTransaction,
            Endpoint::ListTransactions => {
                Self::ListTransactions(list(params, &["payout", "one_type", "source", "currency"])?)
            }
            Endpoint::CreatePayout => Self::CreatePayout(money_params::payout(params)?),
            Endpoint::ReadPayout => Self::ReadPayout(expand(params, "balance_transaction")?),
            Endpoint::ListPayouts => Self::ListPayouts(list(params, &["status"])?),
            Endpoint::CancelPayout => Self::CancelPayout,
            Endpoint::ReadDispute => Self::ReadDispute,
            Endpoint::ListDisputes => Self::ListDisputes(list(params, &["charge", "payment_intent"])?),
            Endpoint::UpdateDispute => Self::UpdateDispute(money_params::evidence(params)?),
            Endpoint::CloseDispute => Self::CloseDispute,
            Endpoint::CreateCharge => Self::CreateCharge(Box::new(money_params::charge(params)?)),
            Endpoint::CaptureCharge => Self::CaptureCharge { amount: money_params::charge_capture(params)? },
            Endpoint::Billing(endpoint) => Self::Billing(Box::new(BillingOperation::read(endpoint, params)?)),
            // `read` has taken all the others.
            _ => return Err(ApiError::internal()),
        })
    }
}

impl Operation {
    /// Paging and filters, of a list.
    pub(crate) fn list_query(&mut self) -> Option<&mut ListQuery> {
        match self {
            Self::ListIntents(query, _)
            | Self::ListCharges(query)
            | Self::ListEvents(query)
            | Self::ListWebhookEndpoints(query)
            | Self::ListCustomers(query)
            | Self::ListMethods(query)
            | Self::ListRefunds(query)
            | Self::ListTransactions(query)
            | Self::ListPayouts(query)
            | Self::ListDisputes(query) => Some(query),
            Self::Billing(operation) => operation.list_query(),
            _ => None,
        }
    }
}

pub(crate) fn expand(params: &mut Params, expandable: &str) -> Result<Expand, ApiError> {
    let Some(paths) = params.words("expand")? else {
        return Ok(Expand::Nothing);
    };
    match paths.iter().find(|path| *path != expandable) {
        None if expandable == "balance_transaction" => Ok(Expand::BalanceTransaction),
        None => Ok(Expand::LatestCharge),
        Some(path) => {
            let message = format!("This property cannot be expanded ({path}).");
            Err(ApiError::bad_request(message).param("expand"))
        }
    }
}

fn customer(params: &mut Params) -> Result<CustomerPatch, ApiError> {
    // Accepted and without a meaning here.
    params.ignore(&["address", "shipping", "preferred_locales", "tax_exempt", "invoice_settings"]);
    Ok(CustomerPatch {
        name: params.text("name")?,
        email: params.text("email")?,
        phone: params.text("phone")?,
        description: params.text("description")?,
        metadata: params.metadata()?,
    })
}
