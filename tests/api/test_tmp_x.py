from django.db import connection
from escrow.services import release
from tests.api.test_orders import test_who_acted_is_in_the_audit_of_every_step as t
from escrow.services.release import Released
def test_x(shop, monkeypatch):
    def f(*, order_ids, confirmed_by, at):
        with connection.cursor() as cursor:
            cursor.execute("WITH released AS (SELECT * FROM escrow_release_orders(%s::text[], %s, %s)) SELECT order_id, release_id, entry_id FROM released", [list(order_ids), confirmed_by, at])
            return [Released(*row) for row in cursor.fetchall()]
    monkeypatch.setattr(release, "release_orders", f)
    t(shop)
