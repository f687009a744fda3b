"""Why: a description that is wrong costs its reader more than one that is missing.

That answers are as described is asserted of every answer in tests/api (see described.py) and by
the fuzzing; here stands what can be seen without asking.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any
from unittest import mock

import jsonschema_rs
import pytest
from django.core.management import call_command
from django.test import Client
from drf_spectacular.settings import spectacular_settings

from api import errors, refusals
from api.schema_links import FURTHER
from api.v1 import openapi, urls
from api.v1.problems import catalogue
from api.views import ApiView
from common.errors import DomainError
from tests.api import described

# Doors for channels and banks, the answer to what does not exist, and the description itself.
NOT_DESCRIBED = {"inbound-channel", "inbound-rail", "openapi", None}
UNITS = {
    "_minor": "minor unit",
    "_bps": "basis points",
    "_ms": "milliseconds",
    "seconds": "Seconds",
    "_hours": "Hours",
}


def views() -> Iterator[tuple[str | None, type[ApiView]]]:
    for pattern in urls.urlpatterns:
        yield pattern.name, pattern.callback.view_class


def address(pattern: Any) -> str:
    return "/v1/" + str(pattern.pattern).replace("<name:", "{").replace(">", "}")


def methods() -> list[Any]:
    """Every method that answers an operation, each once, as (view, method)."""
    found = {}
    for name, view in views():
        for verb in set(view.http_method_names) - {"head"}:
            if name not in NOT_DESCRIBED and hasattr(view, verb):
                found[f"{view.__name__}.{verb}"] = (view, getattr(view, verb))
    return [pytest.param(*each, id=name) for name, each in sorted(found.items())]


def components() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name, component in described.description()["components"]["schemas"].items():
        for word, field in component.get("properties", {}).items():
            yield name, word, field


every_method = pytest.mark.parametrize(("view", "method"), methods())


# The whole


def test_description_is_valid_and_made_without_a_warning(tmp_path: Any) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "api.yaml"))


def test_every_operation_is_described() -> None:
    served = {
        (verb.upper(), address(pattern))
        for pattern in urls.urlpatterns
        if pattern.name not in NOT_DESCRIBED
        for verb in set(pattern.callback.view_class.http_method_names) - {"head"}
        if hasattr(pattern.callback.view_class, verb)
    }

    assert set(described.operations()) == served


def test_operations_have_names_that_read_well() -> None:
    names = [each["operationId"] for each in described.operations().values()]

    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+)+", name)] == []
    assert {"orders_create", "orders_list", "orders_ship", "sandbox_clock_advance"} <= set(names)


def test_every_operation_says_what_it_does_and_what_it_needs() -> None:
    silent = [key for key, each in described.operations().items() if not each["summary"]]
    keyless = [
        each["operationId"] for each in described.operations().values() if not each["security"]
    ]

    assert silent == []
    assert [each for each in keyless if not each.startswith("orders_dispute")] == [
        "orders_confirm",
        "orders_extend_receipt",
        "receipt_keys_list",
        "problems_retrieve",
    ]
    assert len(keyless) == 11


# Fields


def test_every_field_is_described() -> None:
    silent = [(name, word) for name, word, field in components() if not field.get("description")]
    silent += [
        (operation["operationId"], parameter["name"])
        for operation in described.operations().values()
        for parameter in operation["parameters"]
        if not parameter.get("description")
    ]

    assert silent == []


def test_every_amount_rate_and_span_says_its_unit() -> None:
    schemas = described.description()["components"]["schemas"]
    silent = [
        (name, word)
        for name, word, field in components()
        for ending, unit in UNITS.items()
        if word.endswith(ending)
        if unit not in f"{field['description']} {schemas[name].get('description', '')}"
    ]

    assert silent == []


def test_every_instant_answered_says_its_format() -> None:
    silent = [
        (name, word)
        for name, word, field in components()
        if field.get("format") == "date-time" and not name.endswith("Request")
        if "RFC 3339, UTC" not in field["description"]
    ]

    assert silent == []


def test_no_body_takes_what_is_not_described() -> None:
    schemas = described.description()["components"]["schemas"]
    open_ones = [
        name
        for name, schema in schemas.items()
        if name.endswith("Request") and schema.get("additionalProperties") is not False
    ]

    assert open_ones == []


# Bodies and refusals are what the methods read and raise


def test_body_that_is_described_is_the_one_that_is_read() -> None:
    read, sent = {}, {}
    for pattern in urls.urlpatterns:
        path, view = address(pattern), pattern.callback.view_class
        if pattern.name not in NOT_DESCRIBED and hasattr(view, "post"):
            source = inspect.getsource(inspect.unwrap(view.post))
            read[path] = "".join(re.findall(r"self\.read\(requests\.(\w+)\)", source))
            body = described.operations()["POST", path].get("requestBody")
            sent[path] = body["content"]["application/json"]["schema"]["$ref"] if body else ""

    assert {path: each.rpartition("/")[2] for path, each in sent.items()} == read


@every_method
def test_refusals_of_what_a_method_calls_are_declared(view: type[ApiView], method: Any) -> None:
    declared = set(refusals.refusals_of(method))
    sources = [method, *([view.conclude] if view.conclude and method is view.post else [])]
    raised = {refusal: name for each in sources for name, refusal in raised_in(each)}

    assert {name for refusal, name in raised.items() if refusal not in declared} == set()


def raised_in(method: Any) -> Iterator[tuple[str, type[DomainError]]]:
    """What the functions of modules that a method calls say they raise."""
    function = inspect.unwrap(method)
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        module = function.__globals__.get(getattr(node.func.value, "id", ""))
        if isinstance(module, ModuleType):
            called = getattr(module, node.func.attr)
            for refusal in refusals.raised_by(called):
                yield ast.unparse(node.func), refusal


@every_method
def test_functions_named_beside_a_method_name_refusals(view: type[ApiView], method: Any) -> None:
    known = {refusal.__name__ for refusal in refusals.all_refusals()}
    unknown = [
        (source.__qualname__, name)
        for source in getattr(method, "refuses", ())
        if not isinstance(source, type)
        for name in refusals.named_after_raises(source)
        if name not in known and name not in ("Never", "See")
    ]

    assert unknown == []


def test_no_two_refusals_have_one_name() -> None:
    names = [refusal.__name__ for refusal in refusals.all_refusals()]

    assert sorted(set(names)) == sorted(names)


def test_every_code_is_explained_with_its_status() -> None:
    wrong = []
    for operation in described.operations().values():
        for status, answer in operation["responses"].items():
            for code in described.codes_of(answer):
                if catalogue().get(code, (0, ""))[0] != int(status):
                    wrong.append((operation["operationId"], status, code))

    assert wrong == []


@pytest.mark.parametrize(
    ("operation_id", "status", "codes"),
    [
        (
            "orders_cancel",
            "409",
            {"idempotency_key_running", "order_state_conflict", "hold_frozen"},
        ),
        ("orders_confirm", "403", {"buyer_token_invalid"}),
        ("merchants_retrieve", "404", {"not_found", "resource_not_found"}),
        ("sandbox_clock_retrieve", "401", {"api_key_refused"}),
    ],
)
def test_codes_stand_where_they_occur(operation_id: str, status: str, codes: set[str]) -> None:
    (operation,) = (
        each for each in described.operations().values() if each["operationId"] == operation_id
    )

    assert described.codes_of(operation["responses"][status]) == codes


def test_problem_documents_have_the_members_that_are_described(client: Client) -> None:
    answer = client.get("/v1/orders", headers={"Host": "localhost"})

    problem = described.description()["components"]["schemas"]["Problem"]
    assert answer.headers["Content-Type"] == errors.MEDIA_TYPE
    assert set(answer.json()) == set(problem["required"])


# Links


def test_links_lead_to_parameters_that_exist() -> None:
    by_id = {each["operationId"]: each for each in described.operations().values()}
    lost = []
    for operation in by_id.values():
        for answer in operation["responses"].values():
            for link in answer.get("links", {}).values():
                known = {
                    name
                    for each in by_id[link["operationId"]]["parameters"]
                    for name in (each["name"], f"{each['in']}.{each['name']}")
                }
                if not link["parameters"].keys() <= known:
                    lost.append((operation["operationId"], link))

    assert lost == []


def test_links_lead_along_the_main_line() -> None:
    by_id = {each["operationId"]: each for each in described.operations().values()}

    assert {"orders_retrieve", "orders_ship", "orders_cancel", "payments_create"} <= by_id[
        "orders_create"
    ]["responses"]["201"]["links"].keys()
    assert all(
        targets.keys() <= by_id[source]["responses"][status]["links"].keys()
        for (source, status), targets in FURTHER.items()
    )


# Examples


def examples() -> list[Any]:
    """Every example: where it stands, the schema beside it, the value."""
    found = []
    for operation in described.operations().values():
        contents = [("request", operation.get("requestBody", {}).get("content", {}))]
        contents += [
            (status, answer.get("content", {})) for status, answer in operation["responses"].items()
        ]
        for place, content in contents:
            for media in content.values():
                for name, example in media.get("examples", {}).items():
                    where = f"{operation['operationId']}-{place}-{name}"
                    found.append(pytest.param(media["schema"], example["value"], id=where))
    return found


@pytest.mark.parametrize(("schema", "value"), examples())
def test_example_is_as_described(schema: dict[str, Any], value: Any) -> None:
    whole = {**schema, "components": described.description()["components"]}

    jsonschema_rs.Draft202012Validator(whole, validate_formats=True).validate(value)


# Where it is served


def test_description_needs_no_key_and_may_be_kept(client: Client) -> None:
    host = {"Host": "localhost"}
    first = client.get("/v1/openapi.json", headers=host)
    again = client.get("/v1/openapi.json", headers={**host, "If-None-Match": first["ETag"]})

    assert (first.status_code, first["Content-Type"]) == (200, "application/json")
    assert first["Cache-Control"] == "public, max-age=300"
    assert first.json() == described.description()
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])


def test_description_is_made_once_by_all_who_ask_first() -> None:
    generator = spectacular_settings.DEFAULT_GENERATOR_CLASS
    make = generator.get_schema
    asked = ["https://pay.example.com/a"] * 4
    with (
        mock.patch.object(generator, "get_schema", autospec=True, side_effect=make) as made,
        ThreadPoolExecutor(len(asked)) as crowd,
    ):
        answers = set(crowd.map(openapi.description, asked))

    assert len(answers) == made.call_count == 1


def test_page_loads_nothing_from_elsewhere_and_runs_no_script_of_its_own(client: Client) -> None:
    host = {"Host": "localhost"}
    page = client.get("/docs/api", headers=host)
    html = page.content.decode()
    loaded = re.findall(r'(?:src|href)="([^"]+)"', html)

    assert page.status_code == 200
    assert (
        "default-src 'none'; script-src 'self'; style-src 'self';"
        in page["Content-Security-Policy"]
    )
    assert "unsafe" not in page["Content-Security-Policy"]
    assert re.findall(r"<script(?![^>]* src=)|<style| style=| on[a-z]+=", html) == []
    assert len(loaded) == 6
    assert [each for each in loaded if not re.match(r"/[^/]", each)] == []
    assert {each: client.get(each, headers=host).status_code for each in loaded} == dict.fromkeys(
        loaded, 200
    )
