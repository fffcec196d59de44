"""Drives a running sandbox with Stripe's official Python client.

Usage: stripe_client.py BASE_URL

Prints "N checks passed" and exits with 0, or tells what failed and exits with 1.
"""

import http.server
import json
import queue
import sys
import threading
import urllib.request

import stripe

DEADLINE_SECONDS = 30
SECRETS = ["whsec_python_new", "whsec_python_old"]
passed = 0


def check(what, is_true, seen=None):
    global passed
    if not is_true:
        print(f"FAILED: {what}: {seen!r}")
        sys.exit(1)
    passed += 1


def receive_webhooks():
    """Starts a receiver on a free port; returns its URL and the queue it fills."""
    arrivals = queue.Queue()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            arrivals.put((body, self.headers["stripe-signature"]))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/hook", arrivals


def control(base, path, value):
    data = json.dumps(value).encode()
    request = urllib.request.Request(f"{base}/_sandbox/{path}", data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=DEADLINE_SECONDS) as answer:
        return json.load(answer)


def payments(client):
    intents = client.v1.payment_intents
    created = intents.create(
        {"amount": 1099, "currency": "usd", "payment_method_types": ["card"], "metadata": {"effect_id": "eff_1"}},
        {"idempotency_key": "create-1"},
    )
    check("created", created.status == "requires_payment_method" and created.object == "payment_intent", created)
    replayed = intents.create(
        {"amount": 1099, "currency": "usd", "payment_method_types": ["card"], "metadata": {"effect_id": "eff_1"}},
        {"idempotency_key": "create-1"},
    )
    check("same object", replayed.id == created.id, replayed)
    check("marked as replayed", replayed.last_response.headers.get("idempotent-replayed") == "true")
    confirmed = intents.confirm(created.id, {"payment_method": "pm_card_visa"}, {"idempotency_key": "confirm-1"})
    check("confirmed", confirmed.status == "succeeded" and confirmed.amount_received == 1099, confirmed)
    read = intents.retrieve(created.id, {"expand": ["latest_charge"]})
    check("metadata", read.metadata["effect_id"] == "eff_1", read)
    check("charge expanded", read.latest_charge.captured and read.latest_charge.payment_intent == created.id, read)
    charges = client.v1.charges.list({"payment_intent": created.id})
    check("one charge", [charge.id for charge in charges.data] == [read.latest_charge.id], charges)
    card = client.v1.payment_methods.retrieve(confirmed.payment_method)
    check("payment method", card.card.brand == "visa", card)
    return created


def refusals(client, created):
    intents = client.v1.payment_intents
    try:
        intents.confirm(created.id, {"payment_method": "pm_card_visa"})
        check("a second confirm is refused", False)
    except stripe.InvalidRequestError as error:
        check("unexpected state", error.code == "payment_intent_unexpected_state", error)
        check("its intent", error.error.payment_intent.status == "succeeded", error)
    try:
        intents.create({
            "amount": 500, "currency": "usd", "payment_method_types": ["card"], "confirm": True,
            "payment_method": "pm_card_visa_chargeDeclinedInsufficientFunds",
        })
        check("a decline is raised", False)
    except stripe.CardError as error:
        check("decline", (error.http_status, error.code) == (402, "card_declined"), error)
        check("decline code", error.error.decline_code == "insufficient_funds", error)
        check("declined intent", error.error.payment_intent.status == "requires_payment_method", error)
        charge = client.v1.charges.retrieve(error.error.charge)
        check("failed charge", charge.status == "failed" and charge.outcome.reason == "insufficient_funds", charge)
    try:
        intents.create({"amount": 700, "currency": "usd"}, {"idempotency_key": "create-1"})
        check("a reused key is refused", False)
    except stripe.IdempotencyError as error:
        check("mismatch", error.http_status == 400, error)
    try:
        intents.create({"amount": 700, "currency": "usd", "colour": "red"})
        check("an unknown parameter is refused", False)
    except stripe.InvalidRequestError as error:
        check("unknown parameter", (error.code, error.param) == ("parameter_unknown", "colour"), error)
    try:
        stripe.StripeClient("sk_wrong", base_addresses=client_addresses).v1.customers.list()
        check("a wrong key is refused", False)
    except stripe.AuthenticationError as error:
        check("authentication", error.http_status == 401, error)


def lists(client):
    made = [
        client.v1.payment_intents.create({"amount": 100 + n, "currency": "eur", "payment_method_types": ["card"]}).id
        for n in range(7)
    ]
    page = client.v1.payment_intents.list({"limit": 3})
    check("page", page.has_more and [intent.id for intent in page.data] == made[:-4:-1], page)
    every = [intent.id for intent in page.auto_paging_iter()]
    check("paging on", every[:7] == made[::-1] and len(every) == len(set(every)) == 9, every)
    recent = client.v1.payment_intents.list({"created": {"gte": 1}, "limit": 100})
    check("created filter", len(recent.data) == 9, recent)
    customer = client.v1.customers.create({"email": "ada@example.com"})
    customer = client.v1.customers.update(customer.id, {"name": "Ada"})
    check("customer", customer.name == "Ada" and customer.email == "ada@example.com", customer)
    check("deleted", client.v1.customers.delete(customer.id).deleted)


def money(client, base):
    charged = {"amount": 2000, "currency": "chf", "payment_method_types": ["card"], "confirm": True}
    paid = client.v1.payment_intents.create({**charged, "payment_method": "pm_card_refundFail"})
    refund = client.v1.refunds.create({"payment_intent": paid.id, "amount": 500, "metadata": {"effect_id": "eff_2"}})
    check("refunded", refund.status == "succeeded" and refund.charge == paid.latest_charge, refund)
    debit = client.v1.balance_transactions.retrieve(refund.balance_transaction)
    check("debit", (debit.type, debit.net) == ("refund", -500), debit)
    control(base, f"refunds/{refund.id}/settle", {"outcome": "fail"})
    failed = client.v1.refunds.retrieve(refund.id)
    check("failed later", failed.status == "failed" and failed.failure_balance_transaction, failed)
    listed = client.v1.refunds.list({"payment_intent": paid.id})
    check("refund listed", [r.id for r in listed.data] == [refund.id], listed)
    try:
        client.v1.refunds.create({"charge": paid.latest_charge, "amount": 2001})
        check("a refund too large is refused", False)
    except stripe.InvalidRequestError as error:
        check("too large", error.param == "amount", error)
    charge = client.v1.charges.create({"amount": 900, "currency": "chf", "source": "tok_visa"})
    check("charge", charge.captured and charge.source.object == "card", charge)
    payout = client.v1.payouts.create({"amount": 700, "currency": "chf"}, {"idempotency_key": "payout-1"})
    check("payout", payout.status == "pending" and not payout.automatic, payout)
    check("payout canceled", client.v1.payouts.cancel(payout.id).status == "canceled")
    balance = client.v1.balance.retrieve()
    amounts = {entry.currency: entry.amount for entry in balance.available}
    # 2,000 less 88 and 900 less 56.
    check("balance", amounts["chf"] == 2756, balance)


def disputes(client, base):
    paid = client.v1.payment_intents.create({
        "amount": 2000, "currency": "sek", "payment_method_types": ["card"], "confirm": True,
        "payment_method": "pm_card_createDispute",
    })
    dispute = client.v1.disputes.list({"payment_intent": paid.id}).data[0]
    check("disputed", dispute.status == "needs_response" and dispute.balance_transactions[0].fee == 1500, dispute)
    answered = client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}})
    check("under review", answered.status == "under_review", answered)
    control(base, f"disputes/{dispute.id}/close", {"outcome": "won"})
    won = client.v1.disputes.retrieve(dispute.id)
    check("won", won.status == "won" and len(won.balance_transactions) == 2, won)
    closed = client.v1.events.list({"type": "charge.dispute.closed"})
    check("closed", closed.data[0].data.object.id == dispute.id, closed)


def billing(client, base):
    product = client.v1.products.create({"name": "Plan", "metadata": {"tier": "1"}})
    price = client.v1.prices.create({
        "product": product.id, "currency": "usd", "unit_amount": 2000, "recurring": {"interval": "month"},
    })
    check("price", (price.type, price.recurring.interval) == ("recurring", "month"), price)
    customer = client.v1.customers.create({"email": "grace@example.com"})
    subscription = client.v1.subscriptions.create(
        {"customer": customer.id, "items": [{"price": price.id, "quantity": 2}, {"price": price.id}]},
        {"idempotency_key": "subscribe-1"},
    )
    items = subscription["items"]
    check("subscribed", subscription.status == "active" and items.data[0].price.id == price.id, subscription)
    check("period", items.data[0].current_period_end > items.data[0].current_period_start, items)
    listed = client.v1.subscription_items.list({"subscription": subscription.id, "limit": 1})
    check("items", [i.quantity for i in listed.auto_paging_iter()] == [2, 1], listed)
    changed = client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True, "metadata": {"a": "b"}})
    check("ending", changed.cancel_at == items.data[0].current_period_end and changed.metadata["a"] == "b", changed)
    control(base, f"subscriptions/{subscription.id}", {"status": "past_due"})
    late = client.v1.subscriptions.list({"status": "past_due", "customer": customer.id})
    check("past due", [s.id for s in late.data] == [subscription.id], late)
    invoice = client.v1.invoices.create({"customer": customer.id, "subscription": subscription.id})
    lines = client.v1.invoices.line_items.list(invoice.id)
    check("lines", [line.amount for line in lines.data] == [4000, 2000], lines)
    check("open", client.v1.invoices.finalize_invoice(invoice.id).status == "open")
    paid = client.v1.invoices.pay(invoice.id)
    check("paid", (paid.status, paid.amount_paid, paid.amount_remaining) == ("paid", 6000, 0), paid)
    check("revived", client.v1.subscriptions.retrieve(subscription.id).status == "active")
    check("canceled", client.v1.subscriptions.cancel(subscription.id).status == "canceled")
    check("hidden", client.v1.subscriptions.list({"customer": customer.id}).data == [])
    everything = client.v1.subscriptions.list({"customer": customer.id, "status": "all"})
    check("not for all", [s.id for s in everything.data] == [subscription.id], everything)
    check("product", client.v1.products.update(product.id, {"active": False}).active is False)
    events = client.v1.events.list({"type": "customer.subscription.*", "limit": 100})
    kinds = [event.type.rpartition(".")[2] for event in events.auto_paging_iter()]
    check("told", kinds == ["deleted", "updated", "updated", "updated", "created"], kinds)


def seeded(client, base):
    rows = [{"id": f"sub_{n}", "customer": "cus_s", "price": "price_s", "created": 1700000000 + n} for n in range(250)]
    control(base, "seed", {
        "products": [{"id": "prod_s"}], "customers": [{"id": "cus_s"}], "subscriptions": rows,
        "prices": [{"id": "price_s", "product": "prod_s", "currency": "usd", "unit_amount": 1}],
    })
    created = {"gte": 1700000000, "lt": 1700000200}
    found = client.v1.subscriptions.list({"created": created, "limit": 100, "customer": "cus_s"})
    check("seeded", [s.id for s in found.auto_paging_iter()] == [f"sub_{n}" for n in reversed(range(200))], found)


def limits(client, base):
    def refused(key, kind, call):
        restricted = stripe.StripeClient(key, base_addresses=client_addresses, max_network_retries=0)
        try:
            call(restricted)
            check("a restricted key is refused", False)
        except stripe.PermissionError as error:
            check("permission", error.http_status == 403 and f"'rak_{kind}'" in error.user_message, error)
            check("the key stays secret", key not in error.user_message, error)

    control(base, "keys", {"key": "rk_test_python_reader"})
    reader = stripe.StripeClient("rk_test_python_reader", base_addresses=client_addresses)
    check("a reader reads", len(reader.v1.subscriptions.list({"limit": 2}).data) == 2)
    refused("rk_test_python_reader", "customer_write", lambda c: c.v1.customers.create({"name": "Eve"}))
    control(base, "keys", {"key": "rk_test_python_blind", "may_not_read": ["subscriptions"]})
    refused("rk_test_python_blind", "subscription_read", lambda c: c.v1.subscriptions.list())
    control(base, "rate_limit", {"requests_per_second": 0, "retry_after_s": 3})
    try:
        client.v1.customers.list()
        check("too much is refused", False)
    except stripe.RateLimitError as error:
        check("rate limit", (error.http_status, error.headers["retry-after"]) == (429, "3"), error)
    control(base, "rate_limit", {"requests_per_second": None})
    check("no limit", client.v1.customers.list({"limit": 1}).has_more)


def webhooks(client, created, arrivals):
    seen = {}
    while "payment_intent.succeeded" not in seen:
        body, header = arrivals.get(timeout=DEADLINE_SECONDS)
        for secret in SECRETS:
            event = stripe.Webhook.construct_event(body, header, secret)
        seen[event.type] = event
    event = seen["payment_intent.succeeded"]
    check("event object", event.data.object.id == created.id, event)
    check("event request", event.request.idempotency_key == "confirm-1", event)
    try:
        stripe.Webhook.construct_event(body, header, "whsec_wrong")
        check("a wrong secret is refused", False)
    except stripe.SignatureVerificationError:
        check("wrong secret", True)
    read = client.v1.events.retrieve(event.id)
    check("event read back", read.data.object.id == created.id and read.type == event.type, read)
    listed = client.v1.events.list({"type": "payment_intent.succeeded"})
    check("event listed", [e.id for e in listed.data] == [event.id], listed)


if __name__ == "__main__":
    base = sys.argv[1].rstrip("/")
    client_addresses = {"api": base}
    stripe_client = stripe.StripeClient("sk_test_python", base_addresses=client_addresses, max_network_retries=0)
    url, webhook_arrivals = receive_webhooks()
    control(base, "webhook_target", {"url": url, "secrets": SECRETS})
    intent = payments(stripe_client)
    refusals(stripe_client, intent)
    lists(stripe_client)
    webhooks(stripe_client, intent, webhook_arrivals)
    money(stripe_client, base)
    disputes(stripe_client, base)
    billing(stripe_client, base)
    seeded(stripe_client, base)
    limits(stripe_client, base)
    print(f"{passed} checks passed")
