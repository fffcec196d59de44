//! Owns: the parameters of products and prices. Does not own: the objects.

use crate::answer::ApiError;
use crate::dialect::currency;
use crate::dialect::params::{MetadataPatch, Params};
use crate::objects::{Interval, Recurring};

/// What creating and updating a product share. `Some("")` unsets.
#[derive(Debug, Clone)]
pub(crate) struct ProductPatch {
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) active: Option<bool>,
    pub(crate) default_price: Option<String>,
    pub(crate) metadata: Option<MetadataPatch>,
}

/// A price to be created.
#[derive(Debug, Clone)]
pub(crate) struct PriceDraft {
    pub(crate) currency: String,
    pub(crate) unit_amount: i64,
    pub(crate) product: PriceProduct,
    pub(crate) recurring: Option<Recurring>,
    pub(crate) patch: PricePatch,
}

/// A product that is there, or one that is created with its price.
#[derive(Debug, Clone)]
pub(crate) enum PriceProduct {
    Id(String),
    New(Box<ProductPatch>),
}

/// What of a price can change.
#[derive(Debug, Clone)]
pub(crate) struct PricePatch {
    pub(crate) active: Option<bool>,
    pub(crate) nickname: Option<String>,
    pub(crate) lookup_key: Option<String>,
    pub(crate) metadata: Option<MetadataPatch>,
}

// Three years, as Stripe's reference says of `interval_count`.
const INTERVALS: [(&str, Interval, i64); 4] = [
    ("day", Interval::Day, 1_095),
    ("week", Interval::Week, 156),
    ("month", Interval::Month, 36),
    ("year", Interval::Year, 3),
];

pub(super) fn product(params: &mut Params, is_new: bool) -> Result<ProductPatch, ApiError> {
    params.ignore(&["images", "marketing_features", "package_dimensions", "shippable", "statement_descriptor"]);
    params.ignore(&["tax_code", "type", "unit_label", "url"]);
    let name = params.word("name")?;
    if is_new && name.is_none() {
        return Err(ApiError::missing_parameter("name"));
    }
    Ok(ProductPatch {
        name,
        description: params.text("description")?,
        active: params.boolean("active")?,
        default_price: params.word("default_price")?,
        metadata: params.metadata()?,
    })
}

pub(super) fn price(params: &mut Params) -> Result<PriceDraft, ApiError> {
    params.ignore(&["billing_scheme", "tax_behavior", "transfer_lookup_key"]);
    let currency = params.word("currency")?.ok_or_else(|| ApiError::missing_parameter("currency"))?;
    let unit_amount = params.integer("unit_amount")?.ok_or_else(|| ApiError::missing_parameter("unit_amount"))?;
    if unit_amount < 0 {
        let message = "This value must be greater than or equal to 0.";
        return Err(ApiError::invalid("parameter_invalid_integer", message).param("unit_amount"));
    }
    let product = match (params.word("product")?, params.object("product_data")?) {
        (Some(id), None) => PriceProduct::Id(id),
        (None, Some(mut data)) => {
            let patch = product(&mut data, true)?;
            data.finish()?;
            PriceProduct::New(Box::new(patch))
        }
        (None, None) => return Err(ApiError::missing_parameter("product")),
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: product, product_data.";
            return Err(ApiError::bad_request(message));
        }
    };
    Ok(PriceDraft {
        currency: currency::check_currency(&currency)?,
        unit_amount,
        product,
        recurring: recurring(params)?,
        patch: price_patch(params)?,
    })
}

fn recurring(params: &mut Params) -> Result<Option<Recurring>, ApiError> {
    let Some(mut inner) = params.object("recurring")? else {
        return Ok(None);
    };
    inner.ignore(&["usage_type"]);
    let names = INTERVALS.map(|(name, _, _)| name);
    let name = inner.choice("interval", &names)?;
    let name = name.ok_or_else(|| ApiError::missing_parameter("recurring[interval]"))?;
    let count = inner.integer("interval_count")?.unwrap_or(1);
    inner.finish()?;
    let known = INTERVALS.iter().find(|(known, _, max)| *known == name && (1..=*max).contains(&count));
    match (known, u16::try_from(count)) {
        (Some((_, interval, _)), Ok(count)) => Ok(Some(Recurring { interval: *interval, count })),
        _ => {
            let message = "Invalid interval_count: an interval takes one day at least and three years at most.";
            Err(ApiError::bad_request(message).param("recurring[interval_count]"))
        }
    }
}

pub(super) fn price_patch(params: &mut Params) -> Result<PricePatch, ApiError> {
    Ok(PricePatch {
        active: params.boolean("active")?,
        nickname: params.text("nickname")?,
        lookup_key: params.text("lookup_key")?,
        metadata: params.metadata()?,
    })
}
