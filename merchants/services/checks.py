"""Checks a new row against its own columns and CHECKs, and refuses it in words.

It must never be the only guard: the database holds the same constraints.
"""

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models
from django_fsm import FSMField

from common.errors import DomainError
from common.money import exponent


def check_row(row: models.Model, refusal: type[DomainError]) -> None:
    """Refuse a row whose values do not fit its columns or CHECKs.

    Raises: `refusal`, UnknownCurrency.
    """
    currency = getattr(row, "currency", None)
    if currency is not None:
        exponent(currency)
    try:
        fields = row._meta.fields
        machines = {field.name for field in fields if isinstance(field, FSMField)}
        row.clean_fields(exclude=machines | {each.name for each in fields if each.is_relation})
        _validate_checks(row)
    except ValidationError as invalid:
        wrong = invalid.message_dict if hasattr(invalid, "error_dict") else {}
        said = [f"{name}: {' '.join(messages)}" for name, messages in wrong.items()]
        raise refusal(" ".join(said or invalid.messages), fields=sorted(wrong)) from None


def _validate_checks(row: models.Model) -> None:
    """Ask the database whether all CHECKs hold in one query, and only if not, which one fails."""
    checks = [each for each in row._meta.constraints if isinstance(each, models.CheckConstraint)]
    if not checks:
        return
    # A CHECK that comes to NULL holds, and so does the AND of one with others that hold.
    all_of_them = models.CheckConstraint(
        condition=models.Q(*(each.condition for each in checks)), name="all_checks"
    )
    try:
        all_of_them.validate(type(row), row)
    except ValidationError:
        for each in checks:
            each.validate(type(row), row)


def violates(error: IntegrityError, constraint: str) -> bool:
    """Say whether the database refused because of the constraint of that name."""
    diagnosis = getattr(error.__cause__, "diag", None)
    return getattr(diagnosis, "constraint_name", None) == constraint
