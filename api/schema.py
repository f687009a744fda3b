"""The API described by itself: OpenAPI 3.1 out of the views, so that nothing is said twice.

A view says its scope, its answer, its filters and what it may refuse with; bodies and other answers
are said by `extend_schema` on the method. Everything else is found here. It must never be asked
while a request is answered, but for the description itself.
"""

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from django.conf import settings
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent, get_doc
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.permissions import SAFE_METHODS

from api import (
    access,
    errors,
    idempotency,
    pages,
    refusals,
    schema_examples,
    schema_fields,
    schema_links,
)
from api.v1.answers import envelopes
from api.v1.answers.problems import ProblemAnswer
from api.views import ApiView

Schema = dict[str, Any]

INTRODUCTION = """\
Money a buyer has paid is held until the buyer confirms receipt, then split and paid out.

- **Amounts** are whole minor units (fen, cents) beside an ISO 4217 `currency`.
- **Ids** have a prefix that says of what: `ord_…`, `pay_…`. Instants are RFC 3339, in UTC.
- **Lists** come in pages, newest first: while `has_more`, send `next_cursor` as `cursor`. Filters,
  query parameters and fields that are not known are refused.
- **Idempotency-Key**: send one with every POST, and the same request can be sent again safely.
- **Problems** are documents of RFC 9457 with a stable `code`, and pointers to the fields at fault.
- **Modes**: a key of a platform in test mode moves no real money, and may move its own clock.
- **Versions** are dates. What is added to an answer needs no new one: ignore what you do not know,
  and expect new words where a state or a code is told.
"""

# How the things in an address are called, where its words do not say it.
PARAMETERS = {
    "parcel_id": "Id of the parcel, shp_….",
    "code": "Code of a problem document.",
}
HEADERS = {
    "Request-Id": (
        "Name of this request, req_…; look it up in the portal under Requests, and quote it when"
        " you ask about it."
    ),
    access.VERSION_HEADER: "Version the answer is written in.",
    "Location": "Address of what was created.",
    idempotency.REPLAYED: "`true` when this answer was given before: nothing was done again.",
    "Retry-After": "Seconds to wait before the same request is sent again.",
    "WWW-Authenticate": "What kind of key is wanted.",
}
# Headers that come with these codes only.
ONLY_WITH = {"WWW-Authenticate": {"api_key_refused"}, "Retry-After": {"too_many_requests", "busy"}}


class ApiSchema(AutoSchema):
    """One operation, from the view that answers it."""

    view: ApiView
    method: str

    def get_operation(self, *args: Any) -> Schema | None:
        operation = super().get_operation(*args)
        if operation is not None:
            operation.setdefault("security", [])
        return operation

    # What it is called

    def get_operation_id(self) -> str:
        words = [word.replace("-", "_") for word in self._tokenize_path()]
        return "_".join(dict.fromkeys([*words, self._verb()]))

    def _verb(self) -> str:
        to_an_item = self.path.endswith("}")
        if self.method == "GET":
            return "list" if self._is_listing() else "retrieve"
        if self.method == "DELETE":
            return "delete"
        last = self._tokenize_path()[-1]
        if to_an_item:
            return "update"
        return "create" if last.endswith("s") else last.replace("-", "_")

    def get_tags(self) -> list[str]:
        return [_words(self._tokenize_path()[0]).capitalize()]

    def get_summary(self) -> str:
        noun = _words(self._tokenize_path()[0])
        if self._method() is pages.ListView.get:
            return f"List {noun}, newest first"
        if self._method() is pages.ItemView.get:
            return f"Return one {singular(noun)} by its id"
        return _sentences(self._method())[0].rstrip(".")

    def get_description(self) -> str:
        rest = _sentences(self._method())[1:]
        if self.view.scope:
            kind = "read" if self.method in SAFE_METHODS else "write"
            rest.append(f"The key needs the scope `{self.view.scope}:{kind}`.")
        elif self.method == "POST":
            rest.append(get_doc(type(self.view)))
        return "\n\n".join(rest)

    # What it is asked with

    def _resolve_path_parameters(self, variables: list[str]) -> list[Schema]:
        found = super()._resolve_path_parameters(variables)
        for parameter in found:
            parameter["description"] = PARAMETERS.get(parameter["name"]) or self._id_of(parameter)
        return found

    def _id_of(self, parameter: Schema) -> str:
        before = self.path.split(f"/{{{parameter['name']}}}")[0].rpartition("/")[2]
        return f"Id of the {singular(_words(before))}."

    def get_override_parameters(self) -> list[OpenApiParameter]:
        known = self.view.query_parameters
        wanted = [*getattr(self.view, "filters", {}), "limit", "cursor", "expand"]
        found = [schema_fields.query_parameter(self.view, name) for name in wanted if name in known]
        if self._is_idempotent():
            found.append(schema_fields.idempotency_header())
        return [*found, schema_fields.version_header()]

    def get_request_serializer(self) -> Any:
        return None

    # What it is answered with

    def get_response_serializers(self) -> Any:
        if self.method == "DELETE":
            return {204: None}
        if isinstance(self.view, pages.ListView) and self.method == "GET":
            return envelopes.page_of(self.view.answer)
        return getattr(self.view, "answer", None)

    def _get_response_bodies(self, direction: str = "response") -> Schema:
        answered = self.get_response_serializers()
        by_status = answered if isinstance(answered, dict) else {200: answered}
        found = {}
        for status, answer in by_status.items():
            if isinstance(answer, serializers.ListSerializer):
                answer = envelopes.list_of(type(answer.child))
            # A file names its media type besides, as (status, media type).
            code, *media_types = status if isinstance(status, tuple) else (status,)
            found[str(code)] = self._success(str(code), answer, media_types)
        return found | dict(self._problems())

    def _success(self, status: str, answer: Any, media_types: list[str]) -> Schema:
        found = self._get_response_for_code(answer, status, media_types or None)
        names = ["Request-Id", access.VERSION_HEADER]
        if status == "201" and isinstance(self.view, pages.ListView):
            names.append("Location")
        if self._is_idempotent():
            names.append(idempotency.REPLAYED)
        written = get_doc(answer) if isinstance(answer, type) else ""
        return found | {
            "description": written.split("\n")[0] or HTTPStatus(int(status)).phrase,
            "headers": self._headers(names),
        }

    def _problems(self) -> Iterable[tuple[str, Schema]]:
        codes = self.codes()
        for status in sorted({status for status, _ in codes.values()}):
            here = {code: meaning for code, (own, meaning) in codes.items() if own == status}
            yield str(status), self._problem(status, here)

    def codes(self) -> dict[str, tuple[int, str]]:
        """Every code this operation can refuse with: its HTTP status and what it means."""
        named: list[str | refusals.Refusal] = [*self._general_codes(), *self._own_codes()]
        found = {}
        for each in named:
            if isinstance(each, str):
                found[each] = errors.MEANINGS[each]
            else:
                found[each.code] = (each.status, refusals.meaning_of(each))
        return {
            code: told for code, told in found.items() if told[0] < 500 or code in errors.MEANINGS
        }

    def _general_codes(self) -> Iterable[str | refusals.Refusal]:
        """What can be wrong before the view itself is asked."""
        yield from ("request_refused", errors.QueryParameterUnknown, access.ApiVersionUnknown)
        if self.view.get_authenticators():
            yield from refusals.raised_by(type(self.view.get_authenticators()[0]).authenticate)
            yield "too_many_requests"
        if self.view.scope:
            yield access.ScopeMissing
        if "{" in self.path:
            yield "not_found"
        yield "not_acceptable"
        if self.method == "POST":
            yield from ("length_required", "body_too_large")
        if self.get_request_serializer() is not None:
            yield from ("body_unreadable", "media_type_unsupported", "request_invalid")
        yield from ("internal_error", "busy")

    def _own_codes(self) -> Iterable[refusals.Refusal]:
        if isinstance(self.view, pages.ListView) and self.method == "GET":
            yield pages.QueryParameterInvalid
        if "expand" in self.view.query_parameters:
            yield errors.ExpansionUnknown
        if isinstance(self.view, pages.ItemView):
            yield pages.ResourceNotFound
        if self._is_idempotent():
            yield from refusals.raised_by(idempotency.idempotent)
        yield from refusals.refusals_of(self._method())

    def _problem(self, status: int, meanings: Mapping[str, str]) -> Schema:
        names = ["Request-Id"]
        names += [name for name, codes in ONLY_WITH.items() if meanings.keys() & codes]
        codes = {"code": {"enum": sorted(meanings), "description": "Which of these it is."}}
        body = self.resolve_serializer(ProblemAnswer, "response").ref
        found = {
            "description": "\n".join(
                f"- `{code}`: {meaning}" for code, meaning in meanings.items()
            ),
            "headers": self._headers(names),
            "content": {errors.MEDIA_TYPE: {"schema": {"allOf": [body, {"properties": codes}]}}},
        }
        if len(meanings) > 1:
            return found
        (code,) = meanings
        return self._component(_camel(code), ResolvedComponent.RESPONSE, found)

    def _headers(self, names: Iterable[str]) -> Schema:
        return {
            name: self._component(name, ResolvedComponent.HEADER, _answered(name)) for name in names
        }

    def _component(self, name: str, kind: str, content: Schema) -> Schema:
        component = ResolvedComponent(name=name, type=kind, schema=content, object=name)
        self.registry.register_on_missing(component)
        return component.ref

    # Components

    def get_serializer_name(self, serializer: serializers.Serializer, direction: str) -> str:
        suffix = "Request" if direction == "request" else "Answer"
        return type(serializer).__name__.removesuffix(suffix)

    def _map_basic_serializer(self, serializer: Any, direction: str) -> Schema:
        found = super()._map_basic_serializer(serializer, direction)
        if not vars(type(serializer)).get("__doc__"):
            found.pop("description", None)  # it is the base class's own
        if direction == "request":
            found["additionalProperties"] = False
        return found

    def _insert_field_validators(self, field: Any, schema: Schema) -> None:
        super()._insert_field_validators(field, schema)
        schema_fields.complete(field, schema)

    # What kind of method it is

    def _method(self) -> Any:
        return getattr(type(self.view), self.method.lower())

    def _is_idempotent(self) -> bool:
        return getattr(self._method(), "idempotent", False)

    def _is_listing(self) -> bool:
        answered = self.get_response_serializers()
        return isinstance(answered, serializers.ListSerializer) or isinstance(
            self.view, pages.ListView
        )


def finish(result: Schema, **_: Any) -> Schema:
    """Complete the whole description; drf-spectacular calls it last."""
    result["info"] |= {"version": access.VERSIONS[-1], "description": INTRODUCTION}
    result["servers"] = [{"url": settings.PUBLIC_URL}]
    schema_links.add_links(result["paths"])
    result = _without(result, {"readOnly", "x-spec-enum-id"})
    schema_examples.add_examples(result)
    return result


def _without(found: Any, names: set[str]) -> Any:
    """Everything an answer holds is read only; to say it of each field is noise."""
    if isinstance(found, dict):
        return {name: _without(each, names) for name, each in found.items() if name not in names}
    return [_without(each, names) for each in found] if isinstance(found, list) else found


def singular(noun: str) -> str:
    return f"{noun[:-3]}y" if noun.endswith("ies") else noun.removesuffix("s")


def _words(token: str) -> str:
    return token.replace("-", " ")


def _sentences(method: Any) -> list[str]:
    """The docstring: its first sentence, then the rest, a paragraph each."""
    first, *rest = re.split(r"\n\s*\n", get_doc(method))
    head, _, tail = " ".join(first.split()).partition(". ")
    return [head, *([tail] if tail else []), *(" ".join(each.split()) for each in rest)]


def _camel(code: str) -> str:
    return "".join(word.capitalize() for word in code.split("_"))


def _answered(name: str) -> Schema:
    kind = {"type": "integer", "minimum": 1} if name == "Retry-After" else {"type": "string"}
    return {"description": HEADERS[name], "required": name != idempotency.REPLAYED, "schema": kind}
