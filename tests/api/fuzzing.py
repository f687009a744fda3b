"""A campaign of schemathesis against the API, in this process, on a shop with something of
everything.

A finding is an answer that is not described, an error of ours, a refusal of what the description
allows or an acceptance of what it does not. It must never run on a database that holds anything.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import schemathesis
from schemathesis.engine import StopReason, events, from_schema

from api import fields
from tests.api.fuzz_market import ADDRESS, Market

PHASES = ("examples", "coverage", "fuzzing", "stateful")
# Refusals that are about how a request looks, not about what it means.
SHAPE = {
    "request_invalid",
    "body_unreadable",
    "media_type_unsupported",
    "query_parameter_unknown",
    "query_parameter_invalid",
    "expansion_unknown",
    "idempotency_key_invalid",
    "api_version_unknown",
}
# Codes of fields that a schema cannot foresee: an instant that is past or too far ahead, a text of
# blanks, a leap second, an exotic address or the name of no time zone.
BEYOND_SCHEMAS = {"not_ahead", "blank", "invalid", "address", "time_zone"}
Config = dict[str, Any]


@schemathesis.check
def allowed_is_understood(_context: Any, response: Any, case: Any) -> None:
    """A request the description allows is refused for its meaning, never for its shape."""
    if not case.meta.generation.mode.is_positive or response.status_code not in (400, 415, 422):
        return
    problem = response.json()
    codes = {each["code"] for each in problem["errors"]}
    if problem.get("facts", {}).get("parameter") == "cursor":
        return  # made by us, and nobody can guess one
    if problem["code"] in SHAPE and not (codes and codes <= BEYOND_SCHEMAS):
        raise AssertionError(f"refused although it is allowed: {problem}")


@dataclass
class Findings:
    """What a campaign has found, by operation and kind, each with its first case."""

    operations: Counter[str] = field(default_factory=Counter)  # requests
    accepted: Counter[str] = field(default_factory=Counter)  # of them, answered 2xx
    answers: Counter[int] = field(default_factory=Counter)
    found: dict[str, str] = field(default_factory=dict)
    ended: bool = False
    write: Callable[[str], Any] = lambda line: None

    @property
    def never_accepted(self) -> list[str]:
        return sorted(label for label in self.operations if not self.accepted[label])

    def tell(self, name: str, told: str) -> None:
        if name not in self.found:
            self.found[name] = told
            self.write(f"{name}\n{told}\n")

    def summary(self) -> str:
        answers = ", ".join(f"{count} x {status}" for status, count in sorted(self.answers.items()))
        return (
            f"{len(self.operations)} operations, {len(self.never_accepted)} never accepted,"
            f" {self.operations.total()} requests ({answers}), {len(self.found)} findings"
        )


def campaign(
    market: Market,
    findings: Findings,
    *,
    phase: str,
    seed: int,
    examples: int,
    seconds: int | None = None,
    operations: Iterable[str] = (),
) -> None:
    """Run one phase and add to what was found.

    Args: examples: per operation, or ways along the links. seconds: stop after about so many;
        None: go to the end. operations: ids of those that are asked; none: all.
    """
    config = {
        "seed": seed,
        **({} if seconds is None else {"max-time": seconds}),
        "headers": {"Authorization": f"Bearer {market.key}"},
        "continue-on-failure": True,
        "generation": {"max-examples": examples, "database": "none"},
        "checks": {
            # Many a valid request is refused for its meaning; see `allowed_is_understood`.
            "positive_data_acceptance": {"enabled": False},
            # Cannot ask in this process (4.32.5); tests/api/test_tenant_matrix.py asks.
            "ignored_auth": {"enabled": False},
        },
        "phases": {
            **{name: {"enabled": name == phase} for name in PHASES},
            "coverage": {"enabled": phase == "coverage", "operation-ordering": "none"},
            "stateful": {
                "enabled": phase == "stateful",
                "max-steps": 12,
                "generation": {"mode": "positive", "max-examples": examples},
            },
        },
        **_names(market),
    }
    schema = schemathesis.openapi.from_wsgi(
        "/v1/openapi.json",
        market.application,
        config=schemathesis.Config.from_dict(config),
    )
    schema.hook("map_body")(_whole_numbers)
    if operations:
        schema = schema.include(operation_id=list(operations))
    findings.ended = False
    for event in from_schema(schema).execute():
        _note(event, findings)


def _names(market: Market) -> Config:
    """Let what makes sense be said often: what exists, what is soon, what is worth something.
    Else hardly a request would get past that."""
    ids = market.ids()
    soon = market.world.now + timedelta(days=180)  # the clock is moved on meanwhile
    said = {
        "merchant": [market.world.merchants[0].id],
        "currency": ["CNY"],
        "channel": ["sandbox"],
        "url": [ADDRESS],
        "token": [market.token],
        "account_number": ["6222021001009990001"],
        "amount_minor": [1, 9001],
        "effective_from": [fields.instant(soon)],
        "effective_to": [fields.instant(soon + timedelta(days=1))],
        "ship_by": [fields.instant(market.world.now + timedelta(days=12))],
        "expected_delivery_at": [fields.instant(soon)],
        "after": ids["events"],
        "code": ["order_not_found", "request_invalid"],
        "seconds": [1, 3600],
    }
    places = ("body", "body.orders[*]", "body.rules[*]", "body.lines[*]", "body.orders[*].lines[*]")
    own = {"order_id": "orders", "payment_id": "payments", "parcel_id": "parcels"}
    return {
        "dictionaries": {
            **{name: {"values": values} for name, values in said.items()},
            **{f"of {word}": {"values": values} for word, values in ids.items()},
            "shipped": {"values": [market.shipped.id]},
            "sent": {"values": [parcel.id for parcel in market.shipped.shipments.all()]},
        },
        "parameters": {
            **{f"{place}.{word}": _often(word) for place in (*places, "query") for word in said},
            "path.code": _often("code"),
            "body.seconds": {"dictionary": "seconds", "probability": 1.0},
            **{f"path.{name}": _often(f"of {word}") for name, word in own.items()},
            "body.orders[*]": _often("of orders"),
        },
        "operations": [
            {
                "include-path-regex": f"^/v1/{word}/",
                "parameters": {"path.id": _often(f"of {word}")},
            }
            for word in ids
            if word not in (*own.values(), "paid orders")
        ]
        + [
            _at("orders_ship", {"path.order_id": "of paid orders"}),
            _at("orders_extend", {"path.order_id": "of paid orders"}),
            _at("orders_confirm", {"path.order_id": "shipped", "body.token": "token"}),
            _at("orders_extend_receipt", {"path.order_id": "shipped", "body.token": "token"}),
            _at("orders_parcels_correct", {"path.order_id": "shipped", "path.parcel_id": "sent"}),
        ],
    }


def _at(operation: str, named: dict[str, str]) -> Config:
    parameters = {place: _often(dictionary) for place, dictionary in named.items()}
    return {"include-operation-id": operation, "parameters": parameters}


def _often(dictionary: str) -> Config:
    return {"dictionary": dictionary, "probability": 0.9}


def _whole_numbers(_context: Any, body: Any) -> Any:
    """Send 1 for 1.0: to a schema they are the same, and the API takes no floats."""
    if isinstance(body, dict):
        return {name: _whole_numbers(_context, value) for name, value in body.items()}
    if isinstance(body, list):
        return [_whole_numbers(_context, value) for value in body]
    return int(body) if isinstance(body, float) and body.is_integer() else body


def _note(event: Any, findings: Findings) -> None:
    match event:
        case events.ScenarioFinished(recorder=recorder):
            for case_id, interaction in recorder.interactions.items():
                label = recorder.cases[case_id].value.operation.label
                findings.operations[label] += 1
                if interaction.response is not None:
                    findings.answers[interaction.response.status_code] += 1
                    findings.accepted[label] += interaction.response.status_code < 300
            for case_id, checks in recorder.checks.items():
                for check in checks:
                    if check.failure_info is not None:
                        _tell_failure(findings, case_id, check, recorder)
        case events.NonFatalError():
            findings.tell(f"{event.label}, {event.phase}", repr(event.value))
        case events.FatalError():
            findings.tell("the campaign itself", repr(event.exception))
        case events.EngineFinished():
            findings.ended = event.stop_reason in (StopReason.COMPLETED, StopReason.MAX_TIME)


def _tell_failure(findings: Findings, case_id: str, check: Any, recorder: Any) -> None:
    failure = check.failure_info.failure
    case = recorder.cases[failure.case_id or case_id].value
    response = recorder.interactions[failure.case_id or case_id].response
    answer = f"{response.status_code} {response.content[:600]!r}" if response else "no answer"
    findings.tell(
        f"{failure.operation or case.operation.label} {check.name}: {failure.title}",
        "\n".join([failure.message, case.as_curl_command(), answer]),
    )
