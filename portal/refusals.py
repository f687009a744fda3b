"""What is refused, said to a person: a sentence in the reader's language that says what to do.

A code without a sentence here shows the refusal's own words, in English.
"""

from collections.abc import Callable
from typing import TypeVar

from django.contrib import messages
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from common.errors import DomainError

Result = TypeVar("Result")

SENTENCES: dict[str, str | Promise] = {
    "busy": _("Somebody is changing this at the moment. Try again in a few seconds."),
    "too_many_jobs": _("Ten things you asked for are not done yet. Wait for one of them."),
    "job_state_conflict": _("This was confirmed before. Look at its page for how far it is."),
    "too_many_views": _("You keep 20 views already. Drop one first."),
}


def sentence(refusal: DomainError) -> str:
    """Say a refusal to a person."""
    return str(SENTENCES.get(refusal.code, refusal))


def attempt(
    request: HttpRequest, deed: Callable[[], Result], *, done: str | Promise
) -> Result | None:
    """Do one thing for a person and leave a sentence for the next page.

    Returns: what the deed returned; None when it was refused, and then nothing has changed.
    """
    try:
        result = deed()
    except DomainError as refusal:
        messages.error(request, sentence(refusal))
        return None
    messages.success(request, str(done))
    return result
