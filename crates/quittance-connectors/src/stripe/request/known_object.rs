//! The requests that act on a payment's object whose id is known: confirm, capture, cancel.

use quittance_core::fact::ObjectKind;
use quittance_core::money::Money;

use super::{Form, not_for, object_path, path, wire_amount};
use crate::connector::Unsayable;
use crate::message::Request;
use crate::stripe::Stripe;

impl Stripe {
    /// Builds the confirmation of a payment intent: the step that may move money.
    ///
    /// The method is only sent when given, to try another one than the one attached. With neither method nor
    /// `return_url` the body is empty, since a test peer fails on any parameter here.
    pub(super) fn confirm_intent(
        &self,
        object_id: &str,
        payment_method: Option<&str>,
        return_url: Option<&str>,
    ) -> Request {
        let mut form = Form::default();
        form.add_some("payment_method", payment_method);
        form.add_some("return_url", return_url);
        self.post(object_path(ObjectKind::Payment, object_id, "/confirm"), form)
    }

    /// Builds the capture of what was authorised: all of it, or so much, with the rest released.
    pub(super) fn capture(
        &self,
        (kind, object_id): (ObjectKind, &str),
        part: Option<Money>,
    ) -> Result<Request, Unsayable> {
        let name = match kind {
            ObjectKind::Payment => "amount_to_capture",
            ObjectKind::Charge => "amount",
            ObjectKind::Refund | ObjectKind::Dispute => return Err(not_for(kind, "captured")),
        };
        let amount = part.map(wire_amount).transpose()?;
        let mut form = Form::default();
        form.add_some(name, amount.as_deref());
        Ok(self.post(object_path(kind, object_id, "/capture"), form))
    }

    /// Builds the cancelation of a payment intent, the fence after which it can never charge, or the release of an
    /// uncaptured charge.
    ///
    /// A charge is released by refunding it, without an amount: the answer is a refund, and the charge itself has to be
    /// read. One that was captured meanwhile would be refunded whole, so this is for charges that are known to wait.
    pub(super) fn cancel(&self, (kind, object_id): (ObjectKind, &str)) -> Result<Request, Unsayable> {
        let mut form = Form::default();
        match kind {
            ObjectKind::Payment => Ok(self.post(object_path(kind, object_id, "/cancel"), form)),
            ObjectKind::Charge => {
                form.add("charge", object_id);
                Ok(self.post(path(ObjectKind::Refund).to_owned(), form))
            }
            ObjectKind::Refund | ObjectKind::Dispute => Err(not_for(kind, "canceled")),
        }
    }
}
