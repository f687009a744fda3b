"""Holds answers against the description of the API: status, media type, headers, body, and no
member that is not described.

It must never be more lenient than a client that was generated from the description.
"""

import json
import re
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs
from django.http import HttpResponse
from drf_spectacular.settings import spectacular_settings

Schema = dict[str, Any]


@cache
def description() -> Schema:
    """The description as it is served."""
    return spectacular_settings.DEFAULT_GENERATOR_CLASS().get_schema(public=True)


@cache
def operations() -> dict[tuple[str, str], Schema]:
    """Every operation by method and address."""
    return {
        (method.upper(), path): operation
        for path, methods in description()["paths"].items()
        for method, operation in methods.items()
    }


def find_operation(method: str, path: str) -> tuple[str, str] | None:
    """The method and address of the operation that serves a path; None: there is none."""
    matching = (known for known in description()["paths"] if _address(known).fullmatch(path))
    key = (method, next(matching, ""))
    return key if key in operations() else None


def faults(method: str, url: str, answer: HttpResponse) -> list[str]:
    """Every way in which an answer is not as described. What no operation serves is not asked."""
    key = find_operation(method, urlsplit(url).path)
    if key is None:
        return []
    where = f"{' '.join(key)} {answer.status_code}"
    described = _resolved(operations()[key]["responses"].get(str(answer.status_code)))
    if described is None:
        return [f"{where} is not described: {answer.content[:300]!r}"]
    missing = [
        name
        for name, header in described.get("headers", {}).items()
        if _resolved(header)["required"] and name not in answer.headers
    ]
    found = [f"{where} lacks the header {name}" for name in missing]
    if "content" not in described:
        return found + ([f"{where} has a body"] if answer.content else [])
    ((media_type, _),) = described["content"].items()
    if answer.headers.get("Content-Type") != media_type:
        return [*found, f"{where} comes as {answer.headers.get('Content-Type')}"]
    if media_type == "application/octet-stream":
        return found  # any bytes
    errors = _validator(key, str(answer.status_code)).iter_errors(json.loads(answer.content))
    return found + [f"{where}: {_told(error)}" for error in errors]


def codes_of(answer: Schema) -> set[str]:
    """The codes a described refusal may have; none for an answer that is no refusal."""
    content = _resolved(answer).get("content", {}).get("application/problem+json")
    return set(content["schema"]["allOf"][1]["properties"]["code"]["enum"]) if content else set()


def _told(error: Any) -> str:
    return f"{'/'.join(map(str, error.instance_path))}: {error.message}"


@cache
def _validator(key: tuple[str, str], status: str) -> Any:
    described = _resolved(operations()[key]["responses"][status])
    ((_, content),) = described["content"].items()
    whole = {**content["schema"], "components": _closed()}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


@cache
def _closed() -> Schema:
    """The components, each object without members that are not described."""
    schemas = {
        name: {"additionalProperties": False, **schema} if "properties" in schema else schema
        for name, schema in description()["components"]["schemas"].items()
    }
    return {"schemas": schemas}


@cache
def _address(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{\w+\\}", "[A-Za-z0-9_-]{1,64}", re.escape(path)))


def _resolved(found: Any) -> Any:
    if found is not None and "$ref" in found:
        _, _, kind, name = found["$ref"].split("/")
        return description()["components"][kind][name]
    return found
