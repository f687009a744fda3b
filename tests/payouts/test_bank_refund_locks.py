"""Why: two that wait for each other are both late, and one of them fails."""

import threading

from django.db import connection, transaction

from channels.contract import Status
from orders.locks import lock_payment
from tests import rerouting
from tests.rerouting import channel_says, fresh
from tests.world import World


def test_channel_pays_after_all_while_somebody_holds_the_payment(market: World) -> None:
    """Who approves locks the payment before the refund. The channel's answer, which has the refund,
    must not ask for the payment then, or both wait for ever."""
    found = rerouting.in_phase(market, "APPROVED")
    locked, done = threading.Event(), threading.Event()

    def hold_the_payment() -> None:
        with transaction.atomic():
            lock_payment(found.refund.payment_id)
            locked.set()
            assert done.wait(timeout=10)
        connection.close()

    holder = threading.Thread(target=hold_the_payment)
    holder.start()
    assert locked.wait(timeout=10)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '2s'")
        channel_says(market, found.refund, Status.SUCCEEDED)
    finally:
        done.set()
        holder.join()
        connection.close()  # and its lock_timeout with it

    assert rerouting.phase_of(fresh(found)) == ("DROPPED", "SUCCEEDED")
