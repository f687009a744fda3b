"""Why: a wrong setting must stop every program with one sentence that says what to set."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from settlement_site.environment import BASE_DIR
from settlement_site.logs import JsonFormatter
from settlement_site.settings import SESSION_OPTIONS

KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="  # 32 bytes
SHAPE_OF_SIGNING_KEYS = (
    "set RECEIPT_SIGNING_KEYS to key-id:key pairs, each key the base64 of 32 bytes"
    " and each id its own, of lower-case letters, digits and dashes."
)
ORDER_OF_SIGNING_KEYS = (
    "set RECEIPT_SIGNING_KEYS with the newest key first, each later one as id@20270101T000000Z:key."
)
SHAPE_OF_KEYS = (
    "set FIELD_ENCRYPTION_KEYS to key-id:key pairs, each key the base64 of 32 bytes"
    " and each id its own, of lower-case letters, digits and dashes."
)
SHAPE_OF_ACCOUNTS = (
    'set RESERVE_ACCOUNTS to JSON such as {"custodian": {"account_name": "…",'
    ' "account_number": "…", "bank_name": "…"}}.'
)
PRODUCTION = {
    "DATABASE_URL": "postgresql://holdfast:secret@127.0.0.1:1/holdfast",
    "REDIS_URL": "redis://:secret@127.0.0.1:1/0",
    "SECRET_KEY": "x" * 50,
    "FIELD_ENCRYPTION_KEYS": f"k1:{KEY}",
    "RECEIPT_SIGNING_KEYS": f"k1:{KEY}",
}
REFUSALS = [
    ({"SECRET_KEY": ""}, "set SECRET_KEY to at least 32 random characters."),
    ({"SECRET_KEY": "short"}, "set SECRET_KEY to at least 32 random characters."),
    (
        {"FIELD_ENCRYPTION_KEYS": ""},
        "set FIELD_ENCRYPTION_KEYS to key-id:key, the key being the base64 of 32 random bytes.",
    ),
    ({"FIELD_ENCRYPTION_KEYS": "k1:c2hvcnQ="}, SHAPE_OF_KEYS),
    ({"FIELD_ENCRYPTION_KEYS": KEY}, SHAPE_OF_KEYS),
    ({"FIELD_ENCRYPTION_KEYS": f"k1:{KEY},k1:{KEY}"}, SHAPE_OF_KEYS),
    (
        {"RECEIPT_SIGNING_KEYS": ""},
        "set RECEIPT_SIGNING_KEYS to key-id:key, the key being the base64 of 32 random bytes.",
    ),
    ({"RECEIPT_SIGNING_KEYS": "k1:c2hvcnQ="}, SHAPE_OF_SIGNING_KEYS),
    ({"RECEIPT_SIGNING_KEYS": f"k1:{KEY},k1:{KEY}"}, SHAPE_OF_SIGNING_KEYS),
    ({"RECEIPT_SIGNING_KEYS": f"k2:{KEY},k1:{KEY}"}, ORDER_OF_SIGNING_KEYS),
    ({"RECEIPT_SIGNING_KEYS": f"k1:{KEY},k2@20270101T000000Z:{KEY}"}, ORDER_OF_SIGNING_KEYS),
    (
        {"RECEIPT_SIGNING_KEYS": f"k2@tomorrow:{KEY},k1:{KEY}"},
        "set RECEIPT_SIGNING_KEYS with instants such as k2@20270101T000000Z:key.",
    ),
    (
        {"DATABASE_URL": "mysql://root@db/holdfast"},
        "set DATABASE_URL to a URL such as postgresql://….",
    ),
    ({"DATABASE_URL": "holdfast"}, "set DATABASE_URL to a URL such as postgresql://…."),
    (
        {"DATABASE_URL": "postgresql://db:5432"},
        "set DATABASE_URL to postgresql://user:password@host:5432/database.",
    ),
    (
        {"DATABASE_URL": "postgresql://db:99999/h"},
        "set DATABASE_URL to a URL such as postgresql://….",
    ),
    ({"REDIS_URL": "amqp://broker"}, "set REDIS_URL to a URL such as redis://…."),
    ({"PUBLIC_URL": "pay.example.com"}, "set PUBLIC_URL to a URL such as http://…."),
    (
        {"PUBLIC_URL": "https://pay.example.com?a=b"},
        "set PUBLIC_URL to an address such as https://pay.example.com.",
    ),
    ({"SANDBOX_BANK_URL": "ftp://bank"}, "set SANDBOX_BANK_URL to a URL such as http://…."),
    ({"DEBUG": "maybe"}, "set DEBUG to true or false."),
    ({"EMAIL_DELIVERY": "pigeon"}, "set EMAIL_DELIVERY to one of file, console, smtp."),
    ({"EMAIL_PORT": "0"}, "set EMAIL_PORT to a whole number from 1 to 65535."),
    (
        {"DEBIT_REQUEST_TERM_DAYS": "3"},
        "set DEBIT_REQUEST_TERM_DAYS to a whole number from 4 to 365.",
    ),
    ({"RESERVE_ACCOUNTS": "sandbox-bank"}, SHAPE_OF_ACCOUNTS),
    ({"RESERVE_ACCOUNTS": '{"bank": {"account_name": "A", "bank_name": "B"}}'}, SHAPE_OF_ACCOUNTS),
    ({"RESERVE_ACCOUNTS": '{"sandbox-bank": null}'}, SHAPE_OF_ACCOUNTS),
    ({"SWEEP_SECONDS": "0"}, "set SWEEP_SECONDS to a whole number from 1 to 3600."),
    ({"SWEEP_SECONDS": "1.5"}, "set SWEEP_SECONDS to a whole number from 1 to 3600."),
    (
        {"WEBHOOK_ALLOWED_NETWORKS": "10.0.0.0/8,everything"},
        "set WEBHOOK_ALLOWED_NETWORKS to networks such as 10.0.0.0/8,fd00::/8.",
    ),
    (
        {"WEBHOOK_ALLOWED_NETWORKS": "10.0.0.1/8"},
        "set WEBHOOK_ALLOWED_NETWORKS to networks such as 10.0.0.0/8,fd00::/8.",
    ),
    ({"LOG_LEVEL": "LOUD"}, "set LOG_LEVEL to one of DEBUG, INFO, WARNING, ERROR."),
]


def run(
    command: list[str], environment: dict[str, str], *, var: Path, stdin: str = ""
) -> "subprocess.CompletedProcess[str]":
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, *command],
        cwd=BASE_DIR,
        env={**kept, **environment, "HOLDFAST_VAR": str(var)},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


def settings_as_json(*names: str) -> list[str]:
    words = ", ".join(f"settings.{name}" for name in names)
    return [
        "-c",
        f"import json; from settlement_site import settings; print(json.dumps([{words}]))",
    ]


# Reads lines of JSON, each an environment, and answers each with the sentence it was refused with.
JUDGE = """
import importlib, json, os, sys
from settlement_site import environment
for line in sys.stdin:
    os.environ.update(json.loads(line))
    try:
        importlib.reload(importlib.import_module("settlement_site.settings"))
    except environment.BadSetting as refusal:
        print(json.dumps(refusal.code), flush=True)
    else:
        print(json.dumps("accepted"), flush=True)
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What settings.py says to the plain environment and to each bad one, in order."""
    neutral = {name: "" for change, _ in REFUSALS for name in change}
    environments = [
        neutral | PRODUCTION | change for change in ({}, *(each for each, _ in REFUSALS))
    ]
    asked = "".join(json.dumps(each) + "\n" for each in environments)
    done = run(["-c", JUDGE], PRODUCTION, var=tmp_path_factory.mktemp("var"), stdin=asked)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_settings_accept_what_production_needs(answers: list[str]) -> None:
    assert answers[0] == "accepted"


@pytest.mark.parametrize(
    "number", range(len(REFUSALS)), ids=[str(sorted(c)[0]) for c, _ in REFUSALS]
)
def test_settings_refuse_a_bad_value_in_one_sentence(answers: list[str], number: int) -> None:
    _, sentence = REFUSALS[number]

    assert answers[number + 1] == f"Holdfast cannot start: {sentence}"


@pytest.mark.parametrize(
    "command",
    [
        ["manage.py", "migrate"],
        ["-m", "celery", "--app", "settlement_site", "worker"],
        ["-m", "celery", "--app", "settlement_site", "beat"],
        ["-m", "gunicorn", "--log-level", "error", "--bind", "127.0.0.1:0"],
    ],
)
def test_every_program_refuses_a_bad_setting_in_one_sentence(
    tmp_path: Path, command: list[str]
) -> None:
    done = run(command, PRODUCTION | {"DEBUG": "maybe"}, var=tmp_path)

    assert done.stderr == "Holdfast cannot start: set DEBUG to true or false.\n"
    assert done.returncode == 1


def test_start_refuses_a_database_that_does_not_answer_without_telling_the_password(
    tmp_path: Path,
) -> None:
    done = run(["manage.py", "migrate"], PRODUCTION, var=tmp_path)

    assert done.returncode == 1
    assert done.stderr.startswith(
        "Holdfast cannot start: DATABASE_URL does not lead to a database ("
    )
    assert done.stderr.count("\n") == 1
    assert "secret" not in done.stderr


def test_embedded_mode_makes_its_secrets_once_and_for_the_owner_only(tmp_path: Path) -> None:
    names = settings_as_json(
        "SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "RECEIPT_SIGNING_KEYS[0][2]", "SANDBOX_BANK_SECRET"
    )

    first = json.loads(run(names, {}, var=tmp_path).stdout)
    second = json.loads(run(names, {}, var=tmp_path).stdout)

    assert first == second
    assert all(first)
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_embedded_mode_makes_what_an_older_file_of_secrets_lacks(tmp_path: Path) -> None:
    names = settings_as_json("SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "RECEIPT_SIGNING_KEYS[0][2]")
    older = {"SECRET_KEY": "x" * 50, "FIELD_ENCRYPTION_KEYS": f"k1:{KEY}"}
    (tmp_path / "secrets.json").write_text(json.dumps(older))

    first = json.loads(run(names, {}, var=tmp_path).stdout)
    second = json.loads(run(names, {}, var=tmp_path).stdout)

    assert first[:2] == ["x" * 50, {"k1": KEY}]
    assert first == second
    assert len(first[2]) == len(KEY)


def test_each_signing_key_is_read_with_its_instant(tmp_path: Path) -> None:
    keys = {"RECEIPT_SIGNING_KEYS": f"k2@20270101T000000Z:{KEY},k1:{KEY}"}
    instants = [f"RECEIPT_SIGNING_KEYS[{position}][1].isoformat()" for position in (0, 1)]

    done = run(settings_as_json(*instants), PRODUCTION | keys, var=tmp_path)

    assert json.loads(done.stdout) == ["2027-01-01T00:00:00+00:00", "1970-01-01T00:00:00+00:00"]


def test_production_makes_no_secrets_and_leaves_the_sandbox_without(tmp_path: Path) -> None:
    done = run(
        settings_as_json("SANDBOX_CHANNEL_SECRET", "SANDBOX_BANK_SECRET"), PRODUCTION, var=tmp_path
    )

    assert json.loads(done.stdout) == ["", ""]
    assert list(tmp_path.iterdir()) == []


def test_database_url_keeps_its_options_beside_our_time_limits(tmp_path: Path) -> None:
    url = "postgresql://u:p@db:5433/shop?sslmode=require&options=-c%20search_path%3Dshop"

    done = run(settings_as_json("DATABASES"), PRODUCTION | {"DATABASE_URL": url}, var=tmp_path)

    database = json.loads(done.stdout)[0]["default"]
    assert (database["HOST"], database["PORT"], database["NAME"]) == ("db", 5433, "shop")
    assert database["OPTIONS"] == {
        "sslmode": "require",
        "prepare_threshold": 0,
        "options": f"{SESSION_OPTIONS} -c search_path=shop",
    }


def test_a_unix_socket_is_told_to_celery_in_its_own_words(tmp_path: Path) -> None:
    names = settings_as_json("CELERY_BROKER_URL", "CACHES['default']['LOCATION']")

    done = run(names, PRODUCTION | {"REDIS_URL": "unix:///run/redis.sock?db=3"}, var=tmp_path)

    assert json.loads(done.stdout) == [
        "redis+socket:///run/redis.sock?virtual_host=3",
        "unix:///run/redis.sock?db=3",
    ]


def test_log_hides_fields_with_secret_names() -> None:
    import logging

    record = logging.makeLogRecord(
        {"msg": "asked", "api_key": "sk_1", "order": "ord_1", "webhook_secret": "w"}
    )

    line = json.loads(JsonFormatter().format(record))

    assert (line["api_key"], line["webhook_secret"], line["order"]) == (
        "[hidden]",
        "[hidden]",
        "ord_1",
    )
