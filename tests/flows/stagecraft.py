"""Opening a market for one flow, in a database that is empty or in which the flow has begun."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.test import override_settings

from demo.local_sandbox import RAIL, Clock, open_sandbox
from tests.flows.market import Market, found_market
from tests.flows.scenarios import Flow
from tests.world import START


@contextlib.contextmanager
def open_market(
    flow: Flow, folder: Path, *, forgetful: bool = False, clock: Clock | None = None
) -> Iterator[Market]:
    """A new market in an empty database. `forgetful`: the bank executes all it is sent."""
    rails: dict[str, Any] = {RAIL: {**settings.RAILS[RAIL], "remembers_references": not forgetful}}
    with (
        override_settings(
            RAILS=rails, EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend"
        ),
        open_sandbox(
            folder,
            clock=clock or Clock(START),
            remembers_references=not forgetful,
            fee_bps=flow.fee_bps,
        ) as sandbox,
    ):
        market = found_market(
            sandbox,
            accounts=flow.accounts,
            approval_above_minor=flow.approval_above_minor,
            party_account=flow.party_account,
        )
        market.forgetful = forgetful
        yield market
