"""The state graph of a machine, held by the database too, as every app above the books uses it."""

from collections.abc import Mapping, Sequence
from typing import Any

import pgtrigger
from django.db import connections, models


class StateGraph(pgtrigger.FSM):
    """Refuse a move that is not in `transitions` and a state without its columns, whoever writes
    it, raw SQL included.

    `requires` names for a state the fields that must be set in it: not null, and not empty where
    they are text. It stands here and not in CHECKs because PostgreSQL reads a CHECK's text anew in
    each statement, which made them a sixth of a release; a function is kept ready.
    """

    operation = pgtrigger.Insert | pgtrigger.Update

    def __init__(
        self,
        *,
        name: str,
        field: str,
        transitions: Sequence[tuple[str, str]],
        requires: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.requires = dict(requires or {})
        super().__init__(name=name, field=field, transitions=list(transitions))

    def get_declare(self, model: models.Model) -> list[tuple[str, str]]:
        return []

    def get_func(self, model: models.Model) -> str:
        state = f'"{_field(model, self.field).column}"'
        moves = ",".join(f"{source}>{target}" for source, target in self.transitions)
        refusal = f"USING ERRCODE = 'check_violation', CONSTRAINT = '{self.name}'"
        function = f"""
            IF NEW.{state} <> OLD.{state}
                    AND OLD.{state} || '>' || NEW.{state} <> ALL ('{{{moves}}}'::text[]) THEN
                RAISE EXCEPTION '% may not go from % to %', TG_TABLE_NAME, OLD.{state}, NEW.{state}
                    {refusal};
            END IF;"""
        if self.requires:
            function += f"""
            IF (CASE NEW.{state} {self._missing(model)} ELSE 0 END) > 0 THEN
                RAISE EXCEPTION '% in state % lacks what it requires', TG_TABLE_NAME, NEW.{state}
                    {refusal};
            END IF;"""
        return f"{function}\n            RETURN NEW;"

    def _missing(self, model: models.Model) -> str:
        """The branches of a CASE: how many of its columns each state lacks."""
        return " ".join(
            f"WHEN '{value}' THEN num_nulls({', '.join(_value(model, each) for each in fields)})"
            for value, fields in self.requires.items()
        )


def _field(model: models.Model, name: str) -> "models.Field[Any, Any]":
    field = model._meta.get_field(name)
    assert isinstance(field, models.Field)
    return field


def _value(model: models.Model, name: str) -> str:
    field = _field(model, name)
    column = f'NEW."{field.column}"'
    return f"NULLIF({column}, '')" if field.empty_strings_allowed and not field.null else column


def keep_triggers_on(using: str, **signal: Any) -> None:
    """After each migrate: no session can switch a trigger off.

    pgtrigger writes this function with its triggers and lets a session setting decide; it is also
    called for every row. Ours answers no, without a call.
    """
    with connections[using].cursor() as cursor:
        cursor.execute(
            "CREATE OR REPLACE FUNCTION _pgtrigger_should_ignore(trigger_name name)"
            " RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT false'"
        )
