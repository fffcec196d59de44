//! Owns: the endpoints of products, prices, subscriptions and invoices, and which parameters belong to which. Does not
//! own: what they do.

mod catalog_params;
mod invoice_params;
mod subscription_params;

use super::list_query::{ListQuery, list, paging};
use super::operation::expand;
use super::params::Params;
use crate::answer::ApiError;

pub(crate) use catalog_params::{PriceDraft, PricePatch, PriceProduct, ProductPatch};
pub(crate) use invoice_params::{InvoiceDraft, InvoicePatch, LineDraft};
pub(crate) use subscription_params::{Due, ItemPatch, SubscriptionDraft, SubscriptionPatch};

/// Everything here that answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BillingEndpoint {
    CreateProduct,
    ListProducts,
    ReadProduct,
    UpdateProduct,
    CreatePrice,
    ListPrices,
    ReadPrice,
    UpdatePrice,
    CreateSubscription,
    ListSubscriptions,
    ReadSubscription,
    UpdateSubscription,
    CancelSubscription,
    ListItems,
    CreateInvoice,
    ListInvoices,
    ReadInvoice,
    UpdateInvoice,
    ListLines,
    AddLines,
    Advance(InvoiceStep),
}

/// What moves an invoice to another state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InvoiceStep {
    Finalize,
    Pay,
    Void,
    MarkUncollectible,
}

/// A request whose parameters are all understood. Ids may still name nothing.
#[derive(Debug, Clone)]
pub(crate) enum BillingOperation {
    CreateProduct { id: Option<String>, patch: ProductPatch },
    ListProducts(ListQuery),
    ReadProduct,
    UpdateProduct(ProductPatch),
    CreatePrice(PriceDraft),
    ListPrices(ListQuery),
    ReadPrice,
    UpdatePrice(PricePatch),
    CreateSubscription(SubscriptionDraft),
    ListSubscriptions(ListQuery),
    ReadSubscription,
    UpdateSubscription(SubscriptionPatch),
    CancelSubscription,
    ListItems { subscription: String, query: ListQuery },
    CreateInvoice(InvoiceDraft),
    ListInvoices(ListQuery),
    ReadInvoice,
    UpdateInvoice(InvoicePatch),
    ListLines(ListQuery),
    AddLines(Vec<LineDraft>),
    Advance(InvoiceStep),
}

/// What the list of subscriptions can be asked for.
const LISTED_STATUSES: [&str; 10] = [
    "all",
    "ended",
    "incomplete",
    "incomplete_expired",
    "trialing",
    "active",
    "past_due",
    "canceled",
    "unpaid",
    "paused",
];
const INVOICE_STATUSES: [&str; 5] = ["draft", "open", "paid", "uncollectible", "void"];

impl BillingEndpoint {
    pub(super) fn named(collection: &str, verb: &str, kind: &str, action: &str) -> Option<Self> {
        Some(match (collection, verb, kind, action) {
            ("products", "post", "all", "") => Self::CreateProduct,
            ("products", "get", "all", "") => Self::ListProducts,
            ("products", "get", "one", "") => Self::ReadProduct,
            ("products", "post", "one", "") => Self::UpdateProduct,
            ("prices", "post", "all", "") => Self::CreatePrice,
            ("prices", "get", "all", "") => Self::ListPrices,
            ("prices", "get", "one", "") => Self::ReadPrice,
            ("prices", "post", "one", "") => Self::UpdatePrice,
            ("subscriptions", "post", "all", "") => Self::CreateSubscription,
            ("subscriptions", "get", "all", "") => Self::ListSubscriptions,
            ("subscriptions", "get", "one", "") => Self::ReadSubscription,
            ("subscriptions", "post", "one", "") => Self::UpdateSubscription,
            ("subscriptions", "delete", "one", "") => Self::CancelSubscription,
            ("subscription_items", "get", "all", "") => Self::ListItems,
            ("invoices", "post", "all", "") => Self::CreateInvoice,
            ("invoices", "get", "all", "") => Self::ListInvoices,
            ("invoices", "get", "one", "") => Self::ReadInvoice,
            ("invoices", "post", "one", "") => Self::UpdateInvoice,
            ("invoices", "get", "one", "lines") => Self::ListLines,
            ("invoices", "post", "one", "add_lines") => Self::AddLines,
            ("invoices", "post", "one", "finalize") => Self::Advance(InvoiceStep::Finalize),
            ("invoices", "post", "one", "pay") => Self::Advance(InvoiceStep::Pay),
            ("invoices", "post", "one", "void") => Self::Advance(InvoiceStep::Void),
            ("invoices", "post", "one", "mark_uncollectible") => Self::Advance(InvoiceStep::MarkUncollectible),
            _ => return None,
        })
    }

    /// The URL without its id.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::CreateProduct | Self::ListProducts => "products",
            Self::ReadProduct | Self::UpdateProduct => "products/{id}",
            Self::CreatePrice | Self::ListPrices => "prices",
            Self::ReadPrice | Self::UpdatePrice => "prices/{id}",
            Self::CreateSubscription | Self::ListSubscriptions => "subscriptions",
            Self::ReadSubscription | Self::UpdateSubscription | Self::CancelSubscription => "subscriptions/{id}",
            Self::ListItems => "subscription_items",
            Self::CreateInvoice | Self::ListInvoices => "invoices",
            Self::ReadInvoice | Self::UpdateInvoice => "invoices/{id}",
            Self::ListLines => "invoices/{id}/lines",
            Self::AddLines => "invoices/{id}/add_lines",
            Self::Advance(InvoiceStep::Finalize) => "invoices/{id}/finalize",
            Self::Advance(InvoiceStep::Pay) => "invoices/{id}/pay",
            Self::Advance(InvoiceStep::Void) => "invoices/{id}/void",
            Self::Advance(InvoiceStep::MarkUncollectible) => "invoices/{id}/mark_uncollectible",
        }
    }
}

impl BillingOperation {
    pub(super) fn read(endpoint: BillingEndpoint, params: &mut Params) -> Result<Self, ApiError> {
        // Nothing here can be an object instead of an id.
        expand(params, "")?;
        Ok(match endpoint {
            BillingEndpoint::CreateProduct => {
                Self::CreateProduct { id: params.word("id")?, patch: catalog_params::product(params, true)? }
            }
            BillingEndpoint::ListProducts => Self::ListProducts(list(params, &["active"])?),
            BillingEndpoint::ReadProduct => Self::ReadProduct,
            BillingEndpoint::UpdateProduct => Self::UpdateProduct(catalog_params::product(params, false)?),
            BillingEndpoint::CreatePrice => Self::CreatePrice(catalog_params::price(params)?),
            BillingEndpoint::ListPrices => {
                let kind = params.choice("type", &["one_time", "recurring"])?;
                let query = list(params, &["product", "active", "currency"])?;
                Self::ListPrices(ListQuery { types: kind.into_iter().map(str::to_owned).collect(), ..query })
            }
            BillingEndpoint::ReadPrice => Self::ReadPrice,
            BillingEndpoint::UpdatePrice => Self::UpdatePrice(catalog_params::price_patch(params)?),
            BillingEndpoint::CreateSubscription => Self::CreateSubscription(subscription_params::draft(params)?),
            BillingEndpoint::ListSubscriptions => {
                let status = params.choice("status", &LISTED_STATUSES)?.map(str::to_owned);
                let query = list(params, &["customer", "price"])?;
                Self::ListSubscriptions(ListQuery { status, ..query })
            }
            BillingEndpoint::ReadSubscription => Self::ReadSubscription,
            BillingEndpoint::UpdateSubscription => Self::UpdateSubscription(subscription_params::patch(params)?),
            BillingEndpoint::CancelSubscription => {
                params.ignore(&["invoice_now", "prorate", "cancellation_details"]);
                Self::CancelSubscription
            }
            BillingEndpoint::ListItems => {
                let subscription = params.word("subscription")?;
                let subscription = subscription.ok_or_else(|| ApiError::missing_parameter("subscription"))?;
                Self::ListItems { subscription, query: paging(params)? }
            }
            of_invoices => Self::read_invoices(of_invoices, params)?,
        })
    }

    fn read_invoices(endpoint: BillingEndpoint, params: &mut Params) -> Result<Self, ApiError> {
        Ok(match endpoint {
            BillingEndpoint::CreateInvoice => Self::CreateInvoice(invoice_params::draft(params)?),
            BillingEndpoint::ListInvoices => {
                let status = params.choice("status", &INVOICE_STATUSES)?.map(str::to_owned);
                let query = list(params, &["customer", "subscription"])?;
                Self::ListInvoices(ListQuery { status, ..query })
            }
            BillingEndpoint::ReadInvoice => Self::ReadInvoice,
            BillingEndpoint::UpdateInvoice => Self::UpdateInvoice(invoice_params::patch(params)?),
            BillingEndpoint::ListLines => Self::ListLines(paging(params)?),
            BillingEndpoint::AddLines => {
                params.ignore(&["invoice_metadata"]);
                Self::AddLines(invoice_params::lines(params)?)
            }
            BillingEndpoint::Advance(step) => {
                // How it is paid does not matter where no money moves.
                params.ignore(&["auto_advance", "forgive", "off_session", "paid_out_of_band", "payment_method"]);
                Self::Advance(step)
            }
            // `read` has taken all the others.
            _ => return Err(ApiError::internal()),
        })
    }

    /// Paging and filters, of a list.
    pub(super) fn list_query(&mut self) -> Option<&mut ListQuery> {
        match self {
            Self::ListProducts(query)
            | Self::ListPrices(query)
            | Self::ListSubscriptions(query)
            | Self::ListItems { query, .. }
            | Self::ListInvoices(query)
            | Self::ListLines(query) => Some(query),
            _ => None,
        }
    }
}
