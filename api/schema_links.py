"""What may follow an answer: the links of OpenAPI, mostly out of the addresses themselves.

What is created or listed at an address can be asked for below it, and by the filters of its name.
It must never link to an operation that does not exist: `add_links` fails.
"""

import re
from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

ID, FIRST = "$response.body#/id", "$response.body#/data/0/id"
PARCEL = {"order_id": ID, "parcel_id": "$response.body#/shipments/0/id"}

# operation, status of its answer -> operation that may follow: its parameters, its body
FURTHER: dict[tuple[str, str], dict[str, tuple[dict[str, str], Any]]] = {
    ("orders_create", "201"): {
        "orders_confirm": ({"order_id": ID}, {"token": "$response.body#/buyer_token"}),
        "orders_extend_receipt": ({"order_id": ID}, {"token": "$response.body#/buyer_token"}),
        "payments_create": ({}, {"orders": [ID], "channel": "sandbox"}),
    },
    ("orders_bulk_create", "201"): {"orders_retrieve": ({"order_id": FIRST}, None)},
    ("orders_ship", "200"): {"orders_parcels_correct": (PARCEL, None)},
    ("orders_parcels_create", "201"): {"orders_parcels_correct": (PARCEL, None)},
    ("payments_create", "201"): {"sandbox_payments_pay": ({"payment_id": ID}, None)},
    ("sandbox_payments_pay", "200"): {
        "orders_ship": ({"order_id": "$response.body#/orders/0/order"}, None),
        "orders_cancel": ({"order_id": "$response.body#/orders/0/order"}, None),
    },
    ("commission_plans_rules_create", "201"): {
        "commission_rules_replace": ({"id": ID}, None),
        "commission_rules_end": ({"id": ID}, None),
    },
    ("webhook_endpoints_ping", "201"): {"events_retrieve": ({"id": ID}, None)},
}


def add_links(paths: Schema) -> None:
    """Write the links into the answers of the operations."""
    operations = {each["operationId"]: each for _, _, each in _operations(paths)}
    for path, method, operation in _operations(paths):
        status, source = {"post": ("201", ID), "get": ("200", FIRST)}.get(method, ("", ""))
        if status in operation["responses"] and "{" not in path:
            for target, parameters in _below(paths, path, source):
                _link(operation, status, target, parameters, None)
    for (source, status), targets in FURTHER.items():
        for target, (parameters, body) in targets.items():
            assert target in operations, target
            _link(operations[source], status, target, parameters, body)


def _below(paths: Schema, path: str, source: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Operations on one thing of a list, and lists that can be filtered by it."""
    item = re.compile(rf"{re.escape(path)}/{{(\w+)}}(/[^{{]*)?")
    word = path.rpartition("/")[2].split("-")[-1].removesuffix("s")
    for other, _, operation in _operations(paths):
        found = item.fullmatch(other)
        if found:
            yield operation["operationId"], {found[1]: source}
        elif any(_is_filter(each, word) for each in operation["parameters"]):
            yield operation["operationId"], {f"query.{word}": source}


def _is_filter(parameter: Schema, word: str) -> bool:
    return parameter["in"] == "query" and parameter["name"] == word


def _link(
    operation: Schema, status: str, target: str, parameters: dict[str, str], body: Any
) -> None:
    link: Schema = {"operationId": target, "parameters": parameters}
    if body is not None:
        link["requestBody"] = body
    operation["responses"][status].setdefault("links", {})[target] = link


def _operations(paths: Schema) -> Iterator[tuple[str, str, Schema]]:
    for path, methods in paths.items():
        for method, operation in methods.items():
            yield path, method, operation
