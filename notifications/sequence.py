"""Numbers the events of one order, payment, refund or payout.

A number must never be taken without the row lock.
"""

from django.db import models


class Sequenced(models.Model):
    """A row that people follow by its events: 1, 2, 3 … so a receiver can tell what is missing."""

    event_sequence = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        abstract = True

    def next_sequence(self) -> int:
        """Take the next number; the caller holds the row lock and saves `event_sequence`."""
        self.event_sequence += 1
        return self.event_sequence
