"""The database holds every state graph and what each state requires, whoever writes."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from orders.models import Order
from tests import ground
from tests.world import World


def write(statement: str, *values: object) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.fixture
def paid(transactional_db: None) -> Order:
    world: World = ground.open_world()
    order, _token = world.create_order(world.merchants[0])
    ground.capture(ground.make_payment(world, order))
    return Order.objects.get(pk=order.pk)


@pytest.mark.parametrize("column", ["paid_at", "ship_by", "shipped_at", "confirm_by"])
def test_a_state_without_its_columns_is_refused(paid: Order, column: str) -> None:
    at = paid.created_at + timedelta(hours=1)
    write("UPDATE orders_order SET shipped_at = %s, confirm_by = %s WHERE id = %s", at, at, paid.pk)

    with pytest.raises(IntegrityError, match="in state SHIPPED lacks"):
        write(f"UPDATE orders_order SET state = 'SHIPPED', {column} = NULL WHERE id = %s", paid.pk)

    write("UPDATE orders_order SET state = 'SHIPPED' WHERE id = %s", paid.pk)
    with pytest.raises(IntegrityError, match="in state CONFIRMED lacks"):
        write(
            "UPDATE orders_order SET state = 'CONFIRMED', confirmed_at = %s, confirmed_by = ''"
            " WHERE id = %s",
            at,
            paid.pk,
        )


def test_an_insert_in_a_state_without_its_columns_is_refused(paid: Order) -> None:
    copy = Order.objects.get(pk=paid.pk)
    copy.pk, copy.reference, copy.ship_by = "ord_copy", "copy", None

    with pytest.raises(IntegrityError, match="in state PAID lacks"), transaction.atomic():
        copy.save(force_insert=True)


def test_no_session_can_switch_a_trigger_off(paid: Order) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE tgrelid = 'orders_order'::regclass")
        names = ",".join(row[0] for row in cursor.fetchall())

    with transaction.atomic():
        write("SELECT set_config('pgtrigger.ignore', %s, true)", f"{{{names}}}")
        with pytest.raises(DatabaseError, match="may not go from PAID to CREATED"):
            write("UPDATE orders_order SET state = 'CREATED' WHERE id = %s", paid.pk)
