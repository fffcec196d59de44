//! Owns: invoices and their states. Does not own: money. An invoice is paid because somebody says so: no charge is made
//! and no balance moves.

use super::{Execution, patch_metadata, unless_empty};
use crate::answer::{Answer, ApiError};
use crate::clock;
use crate::dialect::billing::{Due, InvoiceDraft, InvoicePatch, InvoiceStep, LineDraft};
use crate::objects::{History, Invoice, InvoiceStatus, Line, Period, SubscriptionStatus};

impl Execution<'_> {
    pub(super) fn create_invoice(&mut self, draft: InvoiceDraft) -> Result<Answer, ApiError> {
        let id = self.mint.id("in_1");
        let lines = match &draft.subscription {
            None => Vec::new(),
            Some(subscription) => self.lines_of(subscription)?,
        };
        let subscription = draft.subscription.as_deref().and_then(|id| self.books.subscriptions.get(id));
        let customer = match (&draft.customer, subscription) {
            (Some(customer), Some(subscription)) if *customer != subscription.customer => {
                let message = "The subscription is another customer's.";
                return Err(ApiError::bad_request(message).param("subscription"));
            }
            (_, Some(subscription)) => subscription.customer.clone(),
            (customer, None) => customer.clone().unwrap_or_default(),
        };
        let currency = subscription.map(|subscription| subscription.currency.clone()).or(draft.currency);
        let days = match draft.due {
            Some(Due::Days(days)) => Some(days),
            Some(Due::Automatically) | None => None,
        };
        self.customer(&customer, "customer")?;
        let mut invoice = self.blank_invoice(id, self.now, customer)?;
        invoice.subscription = draft.subscription;
        invoice.lines = lines;
        // Stripe takes the customer's own currency, and the account's when there is none.
        invoice.currency = currency.unwrap_or_else(|| "usd".to_owned());
        invoice.due_date = days.map(|days| self.now + days * clock::DAY);
        apply(&mut invoice, draft.patch)?;
        let answer = Answer::ok(&invoice);
        self.add_invoice(invoice);
        Ok(answer)
    }

    /// A draft of today without lines.
    pub(super) fn blank_invoice(&self, id: String, created: i64, customer: String) -> Result<Invoice, ApiError> {
        let known = self.books.customers.get(&customer);
        let owner = known.ok_or_else(|| ApiError::missing("customer", &customer, "customer"))?;
        Ok(Invoice {
            id,
            created,
            customer_email: owner.email.clone(),
            customer_name: owner.name.clone(),
            customer,
            subscription: None,
            status: InvoiceStatus::Draft,
            billing_reason: "manual",
            currency: String::new(),
            description: None,
            number: None,
            auto_advance: false,
            due_date: None,
            lines: Vec::new(),
            metadata: Default::default(),
            period: Period { start: created, end: created },
            history: History::default(),
        })
    }

    pub(super) fn add_invoice(&mut self, invoice: Invoice) {
        self.emit("invoice.created", &invoice);
        let owner = invoice.subscription.as_deref().and_then(|id| self.books.subscriptions.get_mut(id));
        if let Some(owner) = owner {
            let latest = owner.latest_invoice.as_deref().and_then(|id| self.books.invoices.get(id));
            // Seeded invoices come in any order.
            if latest.is_none_or(|latest| latest.created <= invoice.created) {
                owner.latest_invoice = Some(invoice.id.clone());
            }
        }
        self.books.add_invoice(invoice);
    }

    /// A line for each item of a subscription.
    fn lines_of(&mut self, subscription: &str) -> Result<Vec<Line>, ApiError> {
        let subscription = self.subscription(subscription, "subscription")?.clone();
        let lines = subscription.items.into_iter().filter_map(|item| {
            let price = self.books.prices.get(&item.price)?;
            Some(Line {
                id: self.mint.id("il_1"),
                amount: price.unit_amount.saturating_mul(i64::from(item.quantity)),
                description: None,
                quantity: item.quantity,
                price: Some((price.id.clone(), price.product.clone())),
                subscription_item: Some(item.id),
                period: subscription.period,
                metadata: Default::default(),
            })
        });
        Ok(lines.collect())
    }

    pub(super) fn update_invoice(&mut self, id: &str, patch: InvoicePatch) -> Result<Answer, ApiError> {
        let mut invoice = self.invoice(id)?.clone();
        apply(&mut invoice, patch)?;
        Ok(self.save_invoice(&["invoice.updated"], invoice))
    }

    pub(super) fn add_lines(&mut self, id: &str, drafts: Vec<LineDraft>) -> Result<Answer, ApiError> {
        let mut invoice = self.invoice(id)?.clone();
        if invoice.status != InvoiceStatus::Draft {
            let message = "Finalized invoices can't be updated in this way";
            return Err(ApiError::invalid("invoice_not_editable", message));
        }
        for draft in drafts {
            let line = self.line(&invoice, draft)?;
            invoice.lines.push(line);
        }
        Ok(self.save_invoice(&["invoice.updated"], invoice))
    }

    fn line(&mut self, invoice: &Invoice, draft: LineDraft) -> Result<Line, ApiError> {
        let price = match &draft.price {
            None => None,
            Some(id) => {
                let price = self.books.prices.get(id).ok_or_else(|| ApiError::missing("price", id, "lines"))?;
                Some((price.id.clone(), price.product.clone(), price.unit_amount))
            }
        };
        let of_price = price.as_ref().map(|(_, _, unit)| unit.saturating_mul(i64::from(draft.quantity)));
        let mut line = Line {
            id: self.mint.id("il_1"),
            amount: draft.amount.or(of_price).unwrap_or(0),
            description: draft.description,
            quantity: draft.quantity,
            price: price.map(|(price, product, _)| (price, product)),
            subscription_item: None,
            period: invoice.period,
            metadata: Default::default(),
        };
        patch_metadata(&mut line.metadata, draft.metadata)?;
        Ok(line)
    }

    pub(super) fn advance_invoice(&mut self, id: &str, step: InvoiceStep) -> Result<Answer, ApiError> {
        let mut invoice = self.invoice(id)?.clone();
        let is_open = matches!(invoice.status, InvoiceStatus::Open | InvoiceStatus::Uncollectible);
        let events: &[&'static str] = match step {
            InvoiceStep::Finalize if invoice.status == InvoiceStatus::Draft => {
                self.finalize(&mut invoice);
                // Nothing to pay is paid.
                if invoice.amount_due() > 0 {
                    &["invoice.finalized", "invoice.updated"]
                } else {
                    invoice.enter(InvoiceStatus::Paid, self.now);
                    &["invoice.finalized", "invoice.paid", "invoice.payment_succeeded", "invoice.updated"]
                }
            }
            InvoiceStep::Pay if is_open => {
                invoice.enter(InvoiceStatus::Paid, self.now);
                &["invoice.paid", "invoice.payment_succeeded", "invoice.updated"]
            }
            InvoiceStep::Void if is_open => {
                invoice.enter(InvoiceStatus::Void, self.now);
                &["invoice.voided", "invoice.updated"]
            }
            InvoiceStep::MarkUncollectible if invoice.status == InvoiceStatus::Open => {
                invoice.enter(InvoiceStatus::Uncollectible, self.now);
                &["invoice.marked_uncollectible", "invoice.updated"]
            }
            _ => {
                let message = format!("This invoice is {}: that cannot be done to it.", invoice.status.name());
                return Err(ApiError::bad_request(message));
            }
        };
        let answer = self.save_invoice(events, invoice);
        self.revive_subscription(id);
        Ok(answer)
    }

    pub(super) fn finalize(&mut self, invoice: &mut Invoice) {
        self.books.invoices_numbered += 1;
        let number = self.books.invoices_numbered;
        let prefix = invoice.customer.get(4..12).unwrap_or(&invoice.customer).to_ascii_uppercase();
        invoice.number = Some(format!("{prefix}-{number:04}"));
        invoice.enter(InvoiceStatus::Open, self.now);
    }

    /// What holds a subscription back is its latest invoice.
    fn revive_subscription(&mut self, invoice: &str) {
        let Some(invoice) = self.books.invoices.get(invoice) else { return };
        let owner = invoice.subscription.as_deref().and_then(|id| self.books.subscriptions.get(id));
        let is_latest = |latest: &Option<String>| latest.as_ref() == Some(&invoice.id);
        let Some(mut subscription) = owner.filter(|owner| is_latest(&owner.latest_invoice)).cloned() else { return };
        let revives = match invoice.status {
            InvoiceStatus::Paid => {
                use SubscriptionStatus::{Incomplete, PastDue, Unpaid};
                matches!(subscription.status, Incomplete | PastDue | Unpaid)
            }
            InvoiceStatus::Uncollectible => subscription.status == SubscriptionStatus::PastDue,
            InvoiceStatus::Draft | InvoiceStatus::Open | InvoiceStatus::Void => false,
        };
        if revives {
            subscription.status = SubscriptionStatus::Active;
            self.save_subscription(&["customer.subscription.updated"], subscription);
        }
    }

    fn save_invoice(&mut self, events: &[&'static str], invoice: Invoice) -> Answer {
        for event in events {
            self.emit(event, &invoice);
        }
        let answer = Answer::ok(&invoice);
        if let Some(row) = self.books.invoices.get_mut(&invoice.id) {
            *row = invoice;
        }
        answer
    }

    fn invoice(&self, id: &str) -> Result<&Invoice, ApiError> {
        self.books.invoices.get(id).ok_or_else(|| ApiError::missing("invoice", id, "id"))
    }
}

fn apply(invoice: &mut Invoice, patch: InvoicePatch) -> Result<(), ApiError> {
    if let Some(description) = patch.description {
        invoice.description = unless_empty(description);
    }
    invoice.auto_advance = patch.auto_advance.unwrap_or(invoice.auto_advance);
    patch_metadata(&mut invoice.metadata, patch.metadata)
}
