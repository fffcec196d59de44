"""Receives deliveries as others do: verifies them with the libraries of Standard Webhooks and of Svix, and their bodies
against the published schemas. Reads one JSON document from standard input, prints one line for each delivery."""

import json
import sys

import jsonschema
import standardwebhooks
import svix.webhooks

asked = json.load(sys.stdin)
schemas = {schema["$id"]: schema for schema in asked["schemas"]}
for schema in schemas.values():
    jsonschema.Draft202012Validator.check_schema(schema)


def validate(document, urn):
    jsonschema.Draft202012Validator(schemas[urn]).validate(document)


for delivery in asked["deliveries"]:
    body, headers = delivery["body"], delivery["headers"]
    for secret in asked["secrets"]:
        event = standardwebhooks.Webhook(secret).verify(body, headers)
        svix.webhooks.Webhook(secret).verify(body, headers)  # raises where it does not
    for damaged in (body + " ", body.replace("specversion", "specvercion", 1)):
        for library in (standardwebhooks.webhooks, svix.webhooks):
            try:
                library.Webhook(asked["secrets"][0]).verify(damaged, headers)
            except library.WebhookVerificationError:
                continue
            raise AssertionError(f"{library.__name__} took a body that is not what was signed")
    validate(event, "urn:quittance:schema:event:v1")
    validate(event["data"], event["dataschema"])
    assert event["id"] == headers["webhook-id"]
    print(event["type"])
