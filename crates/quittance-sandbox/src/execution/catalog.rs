//! Owns: products and prices. Does not own: who subscribes to them.

use super::{Execution, patch_metadata, unless_empty};
use crate::answer::{Answer, ApiError};
use crate::dialect::billing::{PriceDraft, PricePatch, PriceProduct, ProductPatch};
use crate::objects::{Price, Product};

impl Execution<'_> {
    pub(super) fn create_product(&mut self, id: Option<String>, patch: ProductPatch) -> Result<Answer, ApiError> {
        let id = id.unwrap_or_else(|| self.mint.id("prod_"));
        if self.books.products.contains(&id) {
            let message = format!("Product already exists: {id}");
            return Err(ApiError::invalid("resource_already_exists", message).param("id"));
        }
        let product = self.new_product(id, patch)?;
        let answer = Answer::ok(&product);
        self.emit("product.created", &product);
        self.books.products.add(product);
        Ok(answer)
    }

    fn new_product(&self, id: String, patch: ProductPatch) -> Result<Product, ApiError> {
        let mut product = Product {
            id,
            created: self.now,
            updated: self.now,
            is_active: true,
            name: String::new(),
            description: None,
            default_price: None,
            metadata: Default::default(),
        };
        self.apply_to_product(&mut product, patch)?;
        Ok(product)
    }

    pub(super) fn update_product(&mut self, id: &str, patch: ProductPatch) -> Result<Answer, ApiError> {
        let known = self.books.products.get(id).cloned();
        let mut product = known.ok_or_else(|| ApiError::missing("product", id, "id"))?;
        self.apply_to_product(&mut product, patch)?;
        product.updated = self.now;
        self.emit("product.updated", &product);
        let answer = Answer::ok(&product);
        if let Some(row) = self.books.products.get_mut(id) {
            *row = product;
        }
        Ok(answer)
    }

    fn apply_to_product(&self, product: &mut Product, patch: ProductPatch) -> Result<(), ApiError> {
        if let Some(price) = patch.default_price {
            let fits = self.books.prices.get(&price).is_some_and(|price| price.product == product.id);
            if !fits {
                return Err(ApiError::missing("price", &price, "default_price"));
            }
            product.default_price = Some(price);
        }
        if let Some(name) = patch.name {
            product.name = name;
        }
        if let Some(description) = patch.description {
            product.description = unless_empty(description);
        }
        product.is_active = patch.active.unwrap_or(product.is_active);
        patch_metadata(&mut product.metadata, patch.metadata)
    }

    pub(super) fn create_price(&mut self, draft: PriceDraft) -> Result<Answer, ApiError> {
        let (product, new_product) = match draft.product {
            PriceProduct::Id(id) if self.books.products.contains(&id) => (id, None),
            PriceProduct::Id(id) => return Err(ApiError::missing("product", &id, "product")),
            PriceProduct::New(patch) => {
                let id = self.mint.id("prod_");
                (id.clone(), Some(self.new_product(id, *patch)?))
            }
        };
        let mut price = Price {
            id: self.mint.id("price_1"),
            created: self.now,
            is_active: true,
            currency: draft.currency,
            unit_amount: draft.unit_amount,
            product,
            recurring: draft.recurring,
            nickname: None,
            lookup_key: None,
            metadata: Default::default(),
        };
        apply_to_price(&mut price, draft.patch)?;
        if let Some(product) = new_product {
            self.emit("product.created", &product);
            self.books.products.add(product);
        }
        let answer = Answer::ok(&price);
        self.emit("price.created", &price);
        self.books.add_price(price);
        Ok(answer)
    }

    pub(super) fn update_price(&mut self, id: &str, patch: PricePatch) -> Result<Answer, ApiError> {
        let known = self.books.prices.get(id).cloned();
        let mut price = known.ok_or_else(|| ApiError::missing("price", id, "id"))?;
        apply_to_price(&mut price, patch)?;
        self.emit("price.updated", &price);
        let answer = Answer::ok(&price);
        if let Some(row) = self.books.prices.get_mut(id) {
            *row = price;
        }
        Ok(answer)
    }
}

fn apply_to_price(price: &mut Price, patch: PricePatch) -> Result<(), ApiError> {
    price.is_active = patch.active.unwrap_or(price.is_active);
    if let Some(nickname) = patch.nickname {
        price.nickname = unless_empty(nickname);
    }
    if let Some(key) = patch.lookup_key {
        price.lookup_key = unless_empty(key);
    }
    patch_metadata(&mut price.metadata, patch.metadata)
}
