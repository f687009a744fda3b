"""How our own fields, filters and keys look in the description.

It must never say more than they do: a value the description refuses is refused by the API as well.
"""

from typing import Any

from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from api import access, fields, idempotency, pages
from api.v1.answers.fields import Related
from api.views import ApiView

Schema = dict[str, Any]

# What api.fields.TextField takes: no control characters, no line or paragraph separators.
ONE_LINE = "^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]*$"
BASE64 = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
WEB_ADDRESS = r"^([hH][tT][tT][pP][sS]?://[!-\[\]-~]+)?$"


def complete(field: serializers.Field, schema: Schema) -> None:
    """Add what drf-spectacular cannot see in a field."""
    if isinstance(field, serializers.ListSerializer):
        _bound(schema, "Items", field.min_length, field.max_length)
    elif isinstance(field, fields.WebAddressField):
        schema["pattern"] = WEB_ADDRESS
    elif isinstance(field, fields.TextField) and "enum" not in schema:
        schema["pattern"] = ONE_LINE
    elif isinstance(field, fields.FileField):
        schema |= {"contentEncoding": "base64", "pattern": BASE64}
    elif isinstance(field, fields.AmountField):
        schema["format"] = "int64"
    elif isinstance(field, fields.MetadataField):
        schema["maxProperties"] = field.MOST_NAMES
        length = {"minLength": 1, "maxLength": field.LONGEST_NAME}
        schema["propertyNames"] = {**length, "pattern": ONE_LINE}


def _bound(schema: Schema, what: str, least: int | None, most: int | None) -> None:
    bounds = {f"min{what}": least, f"max{what}": most}
    schema.update({name: bound for name, bound in bounds.items() if bound is not None})


class RelatedExtension(OpenApiSerializerFieldExtension):
    """A relation: its id, or the whole object."""

    target_class = Related

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> Schema:
        whole = auto_schema.resolve_serializer(self.target.whole, direction)
        return {"oneOf": [{"type": "string"}, whole.ref]}


class ApiKeyExtension(OpenApiAuthenticationExtension):
    """The platform's key."""

    target_class = "api.authentication.ApiKeyAuthentication"
    name = "ApiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> Schema:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "sk_test_… or sk_live_…",
            "description": "A key of your platform, in test or in live mode, with scopes.",
        }


def query_parameter(view: ApiView, name: str) -> OpenApiParameter:
    """Describe a parameter a view knows: a filter of a list, or one that all lists have."""
    if name in getattr(view, "filters", {}):
        return _filter(name, view.filters[name])  # type: ignore[attr-defined]
    return {
        "limit": lambda: _query(
            "limit",
            "How many a page has at most.",
            {
                "type": "integer",
                "minimum": 1,
                "maximum": pages.MAX_LIMIT,
                "default": pages.DEFAULT_LIMIT,
            },
        ),
        "cursor": lambda: _query(
            "cursor", "The `next_cursor` of the page before.", {"type": "string", "minLength": 1}
        ),
        "expand": lambda: _query(
            "expand",
            "Relations to be answered whole instead of by their id.",
            _several(view.expandable),
        ),
    }[name]()


def _filter(name: str, found: pages.Filter) -> OpenApiParameter:
    return _query(name, found.help_text, dict(found.schema))


def _several(words: Any) -> Schema:
    return {"type": "array", "items": {"type": "string", "enum": sorted(words)}, "minItems": 1}


def _query(name: str, description: str, schema: Schema) -> OpenApiParameter:
    listed = schema["type"] == "array"
    return OpenApiParameter(
        name,
        schema,
        OpenApiParameter.QUERY,
        description=description,
        style="form" if listed else None,
        explode=False if listed else None,
    )


def version_header() -> OpenApiParameter:
    """The header that asks for a version."""
    return OpenApiParameter(
        access.VERSION_HEADER,
        {"type": "string", "enum": list(access.VERSIONS)},
        OpenApiParameter.HEADER,
        description="Version to speak, instead of the key's own.",
    )


def idempotency_header() -> OpenApiParameter:
    """The header that makes a request safe to be sent again."""
    return OpenApiParameter(
        idempotency.HEADER,
        {"type": "string", "pattern": "^[!-~]{1,255}$"},
        OpenApiParameter.HEADER,
        description="Your own name for this request, 1 to 255 visible ASCII characters. The same "
        "request again gets the stored answer for "
        f"{idempotency.KEPT.days} days, and nothing is done twice.",
    )
