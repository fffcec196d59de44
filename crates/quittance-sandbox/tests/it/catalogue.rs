//! Owns: an account with products, prices and customers, for the tests about them. Does not own: what is tested.

use crate::shop::Shop;

/// A product with a monthly price of 2,000 and a yearly one of 20,000, in US dollars, and a customer.
pub(crate) struct Catalogue {
    pub(crate) product: String,
    pub(crate) monthly: String,
    pub(crate) yearly: String,
    pub(crate) customer: String,
}

impl Catalogue {
    pub(crate) async fn of(shop: &Shop) -> Self {
        let product = shop.post("/v1/products", "name=Plan").await.id();
        let price = async |amount: u32, interval: &str| {
            let form = format!("product={product}&currency=usd&unit_amount={amount}&recurring[interval]={interval}");
            shop.post("/v1/prices", &form).await.id()
        };
        let (monthly, yearly) = (price(2_000, "month").await, price(20_000, "year").await);
        let customer = shop.post("/v1/customers", "email=ada@example.com&name=Ada").await.id();
        Self { product, monthly, yearly, customer }
    }

    /// A form for a subscription to the monthly price.
    pub(crate) fn subscription(&self) -> String {
        format!("customer={}&items[0][price]={}", self.customer, self.monthly)
    }
}
