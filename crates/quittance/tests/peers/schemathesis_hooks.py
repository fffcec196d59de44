"""What schemathesis cannot read from any description, and has to be told."""

import json

import schemathesis
from schemathesis.core import NOT_SET
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.openapi.checks import RejectedPositiveData

# Refusals of requests that are as described, for reasons that no schema can hold: what is configured, what was done before,
# which texts are card numbers, which bytes were signed.
FOR_GOOD_REASONS = {
    "amount-not-representable",
    "capture-too-large",
    "card-number",
    "currency-unknown",
    "cursor-invalid",
    "gateway-not-found",
    "idempotency-key-reused",
    "not-offered",
    "payment-declined",
    "refund-currency",
    "refund-too-large",
    "refunded-amount-differs",
    "refused-by-gateway",
    "resolved-amount",
    "webhook-signature",
}

# The same, for values that are names on long lists which others keep: of currencies, of time zones, of what a gateway takes as
# evidence.
NAMES_ON_LISTS = ("/currency", "currency", "/timezone", "/evidence/")

BODY_MAY_BE_LEFT_OUT = (
    "POST /v1/pause",
    "POST /v1/resume",
    "POST /v1/webhook_endpoints/{id}",
    "POST /v1/webhook_endpoints/{id}/enable",
)

USED = {}


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Keeps what is a failure."""
    if isinstance(failure, AcceptedNegativeData):
        # A body that may be left out and is left out is called wrong.
        return not (case.body is NOT_SET and case.operation.label in BODY_MAY_BE_LEFT_OUT)
    if not isinstance(failure, RejectedPositiveData):
        return True
    problem = json.loads(response.content)
    if problem["code"] in ("invalid-body", "invalid-parameter"):
        return not all(is_for_a_good_reason(error) for error in problem["errors"])
    return problem["code"] not in FOR_GOOD_REASONS


# What a parser says of an address, and not its form: `https://000` is one of the machine's own.
OF_ADDRESSES = ("leads to an address that is not public", "is no address like")


def is_for_a_good_reason(error):
    """Names on lists, addresses, and lengths: ours are counted in bytes, those of a schema in characters."""
    place, detail = error.get("pointer") or error.get("parameter", ""), error["detail"]
    return place.startswith(NAMES_ON_LISTS) or detail.startswith(OF_ADDRESSES) or " bytes; at most " in detail


@schemathesis.hook
def before_call(context, case, kwargs):
    """Mends what is right by the description and has a meaning that no description tells."""
    meta = getattr(case, "meta", None)
    if meta is None or not meta.generation.mode.is_positive:
        return
    # 1999.0 is an integer to JSON Schema. Amounts are taken as they are written.
    case.body = integers(case.body)
    # Most draw the shortest key there is, which another request has.
    key = case.headers.get("Idempotency-Key") if case.headers else None
    if isinstance(key, str):
        asked = (case.operation.label, repr(case.path_parameters), repr(case.body))
        if USED.setdefault(key, asked) != asked:
            case.headers["Idempotency-Key"] = f"{len(USED)}-of-schemathesis"
            USED[case.headers["Idempotency-Key"]] = asked


def integers(value):
    if isinstance(value, dict):
        return {name: integers(member) for name, member in value.items()}
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
