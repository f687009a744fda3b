"""What the books refuse, and how a database error becomes one of these refusals.

It must never hide an error it does not know.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import Error as DatabaseError
from psycopg import Error as PsycopgError

from common.errors import DomainError


class LedgerRefusal(DomainError):
    """The database refused an entry. The caller's transaction is spent: roll it back."""

    code = "ledger_refused"
    status = 409


class AlreadyPosted(LedgerRefusal):
    """The business fact is in the books already, or the entry is reversed already."""

    code = "entry_already_posted"


class InsufficientBalance(LedgerRefusal):
    """A guarded account would fall below zero."""

    code = "insufficient_balance"


class UnbalancedEntry(LedgerRefusal):
    """The legs do not sum to zero, or are not exactly the legs the entry declares."""

    code = "entry_unbalanced"


class ForbiddenRoute(LedgerRefusal):
    """An entry of this kind may not touch this account on this side."""

    code = "route_forbidden"


class UnknownAccount(LedgerRefusal):
    """The chart has no such address, or the account has another currency."""

    code = "account_unknown"
    status = 422


class UnknownEntry(LedgerRefusal):
    code = "entry_unknown"
    status = 404


class WrongMirror(LedgerRefusal):
    """A reversal that does not mirror an entry exactly, or mirrors a reversal."""

    code = "reversal_not_a_mirror"


class BooksAreAppendOnly(LedgerRefusal):
    code = "books_append_only"


# The SQLSTATEs are raised by ledger/sql/*.sql.
_BY_SQLSTATE: dict[str, type[LedgerRefusal]] = {
    "HF001": UnbalancedEntry,
    "HF002": UnbalancedEntry,
    "HF003": UnknownAccount,
    "HF004": ForbiddenRoute,
    "HF005": WrongMirror,
    "HF006": BooksAreAppendOnly,
    "HF007": UnknownAccount,
}
_BY_CONSTRAINT: dict[str, type[LedgerRefusal]] = {
    "ledger_entry_reference_once": AlreadyPosted,
    "ledger_entry_reversed_once": AlreadyPosted,
    "ledger_guardedbalance_not_below_zero": InsufficientBalance,
    "ledger_entry_two_legs": UnbalancedEntry,
    "ledger_posting_amount": UnbalancedEntry,
    "ledger_account_currency": UnknownAccount,
}
# What PostgreSQL says of a constraint is no sentence for people; what our own triggers say is.
_SENTENCES: dict[str, str] = {
    "ledger_entry_reference_once": "This business fact is in the books already",
    "ledger_entry_reversed_once": "This entry is reversed already",
    "ledger_guardedbalance_not_below_zero": "The account does not have this much",
    "ledger_entry_two_legs": "An entry needs at least two legs",
    "ledger_posting_amount": "A leg is zero or larger than 10^15 minor units",
    "ledger_account_currency": "The currency is not a code of three letters",
}


def refusal_of(error: DatabaseError) -> LedgerRefusal | None:
    """Find the refusal a database error stands for. Returns: None for an error that is not ours."""
    cause = error.__cause__
    if not isinstance(cause, PsycopgError):
        return None
    constraint = cause.diag.constraint_name or ""
    refusal = _BY_SQLSTATE.get(cause.sqlstate or "") or _BY_CONSTRAINT.get(constraint)
    if refusal is None:
        return None
    said = cause.diag.message_primary or "the books refused the entry"
    sentence = _SENTENCES.get(constraint, said[:1].upper() + said[1:])
    return refusal(f"{sentence}.", constraint=constraint)


@contextmanager
def refusals() -> Iterator[None]:
    """Raise the ledger's own refusal for a database error that stands for one."""
    try:
        yield
    except DatabaseError as error:
        refusal = refusal_of(error)
        if refusal is None:
            raise
        raise refusal from error
