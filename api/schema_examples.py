"""Recorded exchanges in the description: what was really sent and answered, once, by a shop.

`make examples` records them (tests/api/recorded_day.py). It must never hold one that was written
by hand, nor a key or a token that opens anything.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from api import errors

Schema = dict[str, Any]

FOLDER = Path(__file__).parent / "examples"
JSON = "application/json"


@cache
def recorded() -> dict[str, list[Schema]]:
    """Every exchange by the operation it is of, in the order in which they were recorded."""
    found: dict[str, list[Schema]] = {}
    for path in sorted(FOLDER.glob("*.json")):
        found |= json.loads(path.read_text("utf-8"))
    return found


def add_examples(result: Schema) -> None:
    """Write the recorded exchanges beside the schemas of what was sent and answered."""
    for methods in result["paths"].values():
        for operation in methods.values():
            for exchange in recorded().get(operation["operationId"], ()):
                _add(result, operation, exchange)


def _add(result: Schema, operation: Schema, exchange: Schema) -> None:
    """Show one exchange. What was refused is shown by its refusal alone."""
    status, name, summary = exchange["status"], exchange["name"], exchange["summary"]
    example = {"summary": summary}
    if "sent" in exchange and status < 300:
        media = operation["requestBody"]["content"][JSON]
        media.setdefault("examples", {})[name] = example | {"value": exchange["sent"]}
    if "answered" in exchange:
        answer = _resolved(result, operation["responses"][str(status)])
        media = answer["content"][JSON if status < 300 else errors.MEDIA_TYPE]
        media.setdefault("examples", {})[name] = example | {"value": exchange["answered"]}


def _resolved(result: Schema, answer: Schema) -> Schema:
    """The answer itself; one that several operations share has its example once."""
    if "$ref" not in answer:
        return answer
    found: Schema = result["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    return found
