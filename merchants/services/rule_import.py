"""Many rules of a plan from a CSV file: checked line by line, then added all or not at all.

It must never add some of a file.
"""

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.errors import DomainError
from ledger.usecases import use_case
from merchants import rule_texts, rules, selectors
from merchants.models import BaseChoice, CommissionPlan, CommissionRule, Merchant, Party
from merchants.services.checks import check_row
from merchants.services.commission import CommissionRuleInvalid, lock_plan, write_tiers
from merchants.services.parties import write_shares

MAX_ROWS = 500
MAX_CHARACTERS = 200_000
REQUIRED = ("currency", "rate_bps")
NUMBERS = (
    "rate_bps",
    "priority",
    "fixed_minor",
    "floor_minor",
    "cap_minor",
    "tax_bps",
    "min_order_minor",
    "max_order_minor",
)
COLUMNS = (
    "currency",
    "rate_bps",
    "priority",
    "merchant",
    "category",
    "channel",
    "min_order_minor",
    "max_order_minor",
    "fixed_minor",
    "floor_minor",
    "cap_minor",
    "base",
    "tax_bps",
    "parties",
    "tiers",
    "effective_from",
    "effective_to",
)


class CommissionImportInvalid(DomainError):
    """The file has errors, so nothing of it was added; `facts.errors` says where."""

    code = "commission_import_invalid"
    status = 422


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong, and where: the line of the file, counted from 1, and the column; empty when
    it is not one column's."""

    line: int
    column: str
    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class RuleImport:
    """What a file would add, or has added, in the order of its lines; nothing when it has
    errors."""

    rules: tuple[CommissionRule, ...]
    errors: tuple[RowError, ...]
    applied: bool


@use_case()
def import_rules(*, plan: CommissionPlan, text: str, dry_run: bool, at: datetime) -> RuleImport:
    """Add the rules of a CSV file to a plan, all or none; a dry run adds nothing and says what it
    would.

    Args: text: a header of `COLUMNS` in any order, then a rule a line; empty is the default.
        `merchant` is an id or a reference, an instant has an offset.
    Raises: CommissionImportInvalid when it has errors and is no dry run.
    Locks: the plan.
    """
    lock_plan(plan.pk)
    found, errors = _Reader(plan, at=at).read(text)
    if errors and not dry_run:
        raise CommissionImportInvalid(
            f"Nothing was added: the file has {len(errors)} errors, the first on line "
            f"{errors[0].line}: {errors[0].sentence}",
            errors=[
                {"line": each.line, "column": each.column, "code": each.code} for each in errors
            ],
        )
    if not dry_run:
        for rule in found:
            rule.save(force_insert=True)
    return RuleImport(() if errors else tuple(found), tuple(errors), applied=not dry_run)


def errors_as_csv(errors: Iterable[RowError]) -> str:
    """Write errors as a CSV file that no spreadsheet takes for formulas."""
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow(("line", "column", "code", "sentence"))
    for each in errors:
        rows.writerow(_inert(cell) for cell in (each.line, each.column, each.code, each.sentence))
    return written.getvalue()


def _inert(cell: Any) -> str:
    """Source: OWASP, CSV injection: a leading apostrophe makes a formula a text."""
    text = str(cell)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


class _Wrong(Exception):
    def __init__(self, column: str, code: str, sentence: str) -> None:
        self.found = (column, code, sentence)


class _Reader:
    """Reads lines into rules that are not saved, with what they name looked up once."""

    def __init__(self, plan: CommissionPlan, *, at: datetime) -> None:
        self.plan = plan
        self.at = at
        sellers = Merchant.objects.filter(platform_id=plan.platform_id)
        self.sellers = {name: each for each in sellers for name in (each.reference, each.pk)}
        parties = Party.objects.filter(platform_id=plan.platform_id)
        self.parties = dict(parties.values_list("pk", "name"))
        self.known = [
            selectors.snapshot(each)
            for each in CommissionRule.objects.filter(plan=plan)
            if each.effective_to is None or each.effective_to > each.effective_from
        ]

    def read(self, text: str) -> tuple[list[CommissionRule], list[RowError]]:
        if len(text) > MAX_CHARACTERS:
            sentence = f"A file has at most {MAX_CHARACTERS} characters."
            return [], [RowError(1, "", "file_too_long", sentence)]
        lines = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
        found: list[CommissionRule] = []
        errors: list[RowError] = []
        try:
            header = list(lines.fieldnames or ())
            errors += _wrong_header(header)
            for cells in () if errors else lines:
                if len(found) + len(errors) >= MAX_ROWS:
                    sentence = f"A file has at most {MAX_ROWS} rules."
                    errors.append(RowError(lines.line_num, "", "file_too_long", sentence))
                    break
                try:
                    found.append(self._rule(cells))
                except _Wrong as wrong:
                    errors.append(RowError(lines.line_num, *wrong.found))
        except csv.Error as broken:
            line = min(lines.line_num + 1, len(text.splitlines()))  # it counts what it has read
            errors.append(RowError(line, "", "csv_unreadable", f"No CSV: {broken}."))
        if not found and not errors:
            errors.append(RowError(1, "", "file_empty", "The file has no rules."))
        return found, errors

    def _rule(self, cells: Mapping[Any, Any]) -> CommissionRule:
        if None in cells or None in cells.values():
            raise _Wrong("", "cells_miscounted", "The line has not as many cells as the header.")
        given = {name: str(cell).strip() for name, cell in cells.items() if str(cell).strip()}
        for name in REQUIRED:
            if name not in given:
                raise _Wrong(name, "cell_missing", "This cell is needed.")
        rule = CommissionRule(
            plan=self.plan,
            currency=given["currency"],
            merchant=self._seller(given.get("merchant")),
            category=given.get("category", ""),
            channel=given.get("channel", ""),
            base=given.get("base", BaseChoice.GOODS),
            parties=_cell(given, "parties", self._shares, []),
            tiers=_cell(given, "tiers", _tiers, []),
            effective_from=_cell(given, "effective_from", _instant, self.at),
            effective_to=_cell(given, "effective_to", _instant, None),
            created_at=self.at,
            **{name: _cell(given, name, _whole, None) for name in NUMBERS if name in given},
        )
        try:
            check_row(rule, CommissionRuleInvalid)
        except DomainError as refusal:
            column = "currency" if refusal.code == "currency_unknown" else ""
            named = [name for name in refusal.facts.get("fields", ()) if name in COLUMNS]
            raise _Wrong(*named[:1] or [column], refusal.code, refusal.sentence) from None
        self._refuse_tie(rule)
        return rule

    def _refuse_tie(self, rule: CommissionRule) -> None:
        wanted = selectors.snapshot(rule)
        rival = next((each for each in self.known if rules.ties(each, wanted)), None)
        if rival is not None:
            raise _Wrong(
                "",
                "commission_rule_overlap",
                f"Rule {rival.id} or another line already decides such sales at that time.",
            )
        self.known.append(wanted)

    def _seller(self, name: str | None) -> Merchant | None:
        if name is None:
            return None
        if name not in self.sellers:
            raise _Wrong("merchant", "merchant_unknown", f"There is no seller {name!r}.")
        return self.sellers[name]

    def _shares(self, text: str) -> list[dict[str, Any]]:
        return write_shares(rule_texts.read_shares(text), self.parties)


def _wrong_header(header: list[str]) -> list[RowError]:
    unknown = [name for name in header if name not in COLUMNS]
    missing = [name for name in REQUIRED if name not in header]
    twice = sorted({name for name in header if header.count(name) > 1})
    return [
        *(RowError(1, each, "column_unknown", "There is no such column.") for each in unknown),
        *(RowError(1, each, "column_missing", "This column is needed.") for each in missing),
        *(RowError(1, each, "column_twice", "This column is there twice.") for each in twice),
    ]


def _cell(given: Mapping[str, str], name: str, read: Callable[[str], Any], default: Any) -> Any:
    if name not in given:
        return default
    try:
        return read(given[name])
    except DomainError as refusal:
        raise _Wrong(name, refusal.code, refusal.sentence) from None
    except ValueError:
        sentence = f"{given[name]!r} cannot be read as {name}."
        raise _Wrong(name, "cell_unreadable", sentence) from None


def _whole(text: str) -> int:
    if not text.removeprefix("-").isdecimal() or not text.isascii() or len(text) > 16:
        raise ValueError(text)
    return int(text)


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(text)
    return found


def _tiers(text: str) -> list[dict[str, int]]:
    return write_tiers(rule_texts.read_tiers(text))
