"""The ledger's sweeps. A task takes the clock once and calls one service; it must never post."""

from celery import shared_task
from django.utils import timezone

from ledger import services


@shared_task(name="ledger.checkpoint_hot_accounts")
def checkpoint_hot_accounts() -> int:
    """Move the hot accounts' mark forward. Late or twice does no harm: balances stay right."""
    return services.checkpoint_hot_accounts(at=timezone.now())
