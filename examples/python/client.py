"""A shop that charges through Quittance: nothing but Python's standard library.

    QUITTANCE_URL=http://127.0.0.1:8080 QUITTANCE_KEY=qk_test_… python3 client.py
"""

import json
import os
import time
import urllib.error
import urllib.request

URL = os.environ["QUITTANCE_URL"]
KEY = os.environ["QUITTANCE_KEY"]
ORDER = os.environ.get("ORDER", "python-1001")

# What says nothing about whether it happened: the same request again, under the same key.
TRY_AGAIN = {408, 429, 500, 502, 503, 504}
TRIES_MAX = 8
FINAL = {"succeeded", "failed", "canceled", "requires_capture", "requires_action", "review"}


def send(method, path, body=None, key=None, prefer=None, timeout=70.0):
    """Sends once. Returns status, headers and body, also of a refusal; raises OSError where no answer came."""
    request = urllib.request.Request(URL + path, method=method)
    request.add_header("Authorization", f"Bearer {KEY}")
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    if key is not None:
        request.add_header("Idempotency-Key", key)
    if prefer is not None:
        request.add_header("Prefer", prefer)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, answer.headers, json.load(answer)
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.headers, json.load(refusal)


def post(path, body, key, prefer=None, first_timeout=70.0):
    """Posts until there is an answer that says something. The body and the key are the same with every try."""
    timeout = first_timeout
    for attempt in range(TRIES_MAX):
        pause = min(0.2 * 2**attempt, 10.0)
        try:
            status, headers, answer = send("POST", path, body, key, prefer, timeout)
            if status not in TRY_AGAIN:
                return status, headers, answer
            pause = float(headers.get("Retry-After", pause))
        except OSError as error:
            print(f"  no answer to {key} ({error}): the same again")
        time.sleep(pause)
        timeout = 70.0
    raise RuntimeError(f"{path}: no answer to {key}; what became of it is told by the same request, whenever it is sent")


def settled(path):
    """What is there, once its outcome is known. `unknown` is being found out: it is not `failed`."""
    for _ in range(100):
        status, headers, found = send("GET", path)
        if status == 200 and found["status"] in FINAL:
            return found
        # A command says what it made as soon as that is there.
        path = found.get("resource") or path
        time.sleep(float(headers.get("Retry-After", 0.2)))
    raise RuntimeError(f"{path} is not settled yet: look again later, or wait for its webhook")


def main():
    # The keys are made of what the order is called, so that whoever comes back after a crash makes the same ones.
    status, _, customer = post("/v1/customers", {"external_id": f"customer-{ORDER}"}, f"customer-{ORDER}")
    assert status == 201, customer

    # The answer to the first try is lost: it is given a millisecond. The retry is not a second charge.
    charge = {
        "customer": f"customer-{ORDER}", "amount": 1999, "currency": "USD", "gateway": "sandbox",
        "payment_method": "pm_card_visa", "reference": ORDER,
    }
    status, headers, payment = post("/v1/payments", charge, f"pay-{ORDER}", first_timeout=0.001)
    if status == 202:
        payment = settled(headers["Location"])
    assert payment["status"] == "succeeded", payment
    again = post("/v1/payments", charge, f"pay-{ORDER}")
    assert again[2]["id"] == payment["id"], again
    print(f"  {ORDER}: {payment['id']} {payment['status']}, {payment['captured_amount']} {payment['currency']}")

    # Who does not wait gets 202, and looks where `Location` says.
    later = {**charge, "reference": f"{ORDER}-later"}
    status, headers, pending = post("/v1/payments", later, f"pay-{ORDER}-later", prefer="respond-async")
    assert status in (201, 202), pending
    outcome = settled(headers["Location"])
    print(f"  {later['reference']}: answered {status}, then {outcome['status']}")

    status, _, declined = post(
        "/v1/payments",
        {**charge, "reference": f"{ORDER}-declined", "payment_method": "pm_card_visa_chargeDeclined"},
        f"pay-{ORDER}-declined",
    )
    assert (status, declined["code"]) == (402, "payment-declined"), declined
    print(f"  {ORDER}-declined: {declined['payment']['decline']['code']}, and nothing can charge it any more")

    # A refund has a name of its own, so that the same one is never given twice.
    back = {"payment": payment["id"], "amount": 500, "reference": f"return-{ORDER}"}
    status, _, refund = post("/v1/refunds", back, f"refund-{ORDER}")
    assert status in (201, 202), refund
    print(f"  return-{ORDER}: {refund['amount']} {refund['currency']} given back, {refund['status']}")

    # Everything that happened, from the request to the gateway's answer.
    status, _, trace = send("GET", f"/v1/trace/{payment['id']}")
    assert status == 200, trace
    events = [line["event"] for story in trace["stories"] for line in story["lines"]]
    print(f"  the story of {payment['id']}: {len(events)} events, from {events[0]} to {events[-1]}")


if __name__ == "__main__":
    main()
