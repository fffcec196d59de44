//! Owns: customers and the payment methods attached to them. Does not own: payments.

use super::{Execution, patch_metadata, unless_empty};
use crate::answer::{Answer, ApiError};
use crate::dialect::card;
use crate::dialect::operation::CustomerPatch;
use crate::objects::{Customer, PaymentMethod};

impl Execution<'_> {
    pub(super) fn create_customer(&mut self, patch: CustomerPatch) -> Result<Answer, ApiError> {
        let mut customer = Customer {
            id: self.mint.id("cus_"),
            created: self.now,
            name: None,
            email: None,
            phone: None,
            description: None,
            metadata: Default::default(),
            is_deleted: false,
        };
        apply(&mut customer, patch)?;
        let answer = Answer::ok(&customer);
        self.emit("customer.created", &customer);
        self.books.customers.add(customer);
        Ok(answer)
    }

    pub(super) fn update_customer(&mut self, id: &str, patch: CustomerPatch) -> Result<Answer, ApiError> {
        let mut customer = self.customer(id, "id")?.clone();
        apply(&mut customer, patch)?;
        Ok(self.save_customer("customer.updated", customer))
    }

    pub(super) fn delete_customer(&mut self, id: &str) -> Result<Answer, ApiError> {
        let mut customer = self.customer(id, "id")?.clone();
        self.cancel_subscriptions_of(id);
        // The event shows the customer as it was.
        self.emit("customer.deleted", &customer);
        customer.is_deleted = true;
        let answer = Answer::ok(&customer);
        if let Some(row) = self.books.customers.get_mut(id) {
            *row = customer;
        }
        Ok(answer)
    }

    fn save_customer(&mut self, event: &'static str, customer: Customer) -> Answer {
        let answer = Answer::ok(&customer);
        self.emit(event, &customer);
        if let Some(row) = self.books.customers.get_mut(&customer.id) {
            *row = customer.clone();
        }
        answer
    }

    /// A customer that exists and is not deleted; `param` is what named it.
    pub(super) fn customer(&self, id: &str, param: &str) -> Result<&Customer, ApiError> {
        match self.books.customers.get(id) {
            Some(customer) if !customer.is_deleted => Ok(customer),
            _ => Err(ApiError::missing("customer", id, param)),
        }
    }

    /// Turns a test name into a payment method of its own, and finds any other.
    pub(super) fn method(&mut self, id: &str, customer: Option<&str>) -> Result<PaymentMethod, ApiError> {
        if let Some(test) = card::test_method(id) {
            let method = PaymentMethod { id: self.mint.id("pm_1"), created: self.now, customer: None, test };
            self.books.methods.add(method.clone());
            return Ok(method);
        }
        let known = self.books.methods.get(id).cloned();
        let method = known.ok_or_else(|| ApiError::missing("PaymentMethod", id, "payment_method"))?;
        if method.customer.is_some() && method.customer.as_deref() != customer {
            let message = "The customer of the PaymentMethod is not the customer of this request.";
            return Err(ApiError::bad_request(message).param("payment_method"));
        }
        Ok(method)
    }

    pub(super) fn attach_method(&mut self, id: &str, customer: &str) -> Result<Answer, ApiError> {
        self.customer(customer, "customer")?;
        let method = self.method(id, Some(customer))?;
        self.set_owner(&method.id, Some(customer))
    }

    pub(super) fn detach_method(&mut self, id: &str) -> Result<Answer, ApiError> {
        self.set_owner(id, None)
    }

    fn set_owner(&mut self, id: &str, customer: Option<&str>) -> Result<Answer, ApiError> {
        let missing = || ApiError::missing("PaymentMethod", id, "payment_method");
        let place = self.books.methods.place(id).ok_or_else(missing)?;
        let method = self.books.methods.get_mut(id).ok_or_else(missing)?;
        let before = std::mem::replace(&mut method.customer, customer.map(str::to_owned));
        let answer = Answer::ok(method);
        if let Some(before) = before {
            self.books.methods_by_customer.remove(&before, place);
        }
        if let Some(customer) = customer {
            self.books.methods_by_customer.add(customer, place);
        }
        Ok(answer)
    }
}

fn apply(customer: &mut Customer, patch: CustomerPatch) -> Result<(), ApiError> {
    let fields = [
        (&mut customer.name, patch.name),
        (&mut customer.email, patch.email),
        (&mut customer.phone, patch.phone),
        (&mut customer.description, patch.description),
    ];
    for (field, change) in fields {
        if let Some(text) = change {
            *field = unless_empty(text);
        }
    }
    patch_metadata(&mut customer.metadata, patch.metadata)
}
