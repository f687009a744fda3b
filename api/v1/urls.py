"""Every address of version 1, on one screen."""

from django.urls import path, re_path, register_converter

from api.v1.inbound import InboundView
from api.v1.missing import MissingView
from api.v1.orders import OrderCancelView, OrderConfirmView, OrderShipView, OrdersView, OrderView
from api.v1.payments import PaymentsView, PaymentView
from api.v1.problems import ProblemView


class NameConverter:
    """An id or a name of ours; anything else in its place is an address that does not exist."""

    regex = r"[A-Za-z0-9_-]{1,64}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(NameConverter, "name")

app_name = "v1"
urlpatterns = [
    path("orders", OrdersView.as_view(), name="orders"),
    path("orders/<name:order_id>", OrderView.as_view(), name="order"),
    path("orders/<name:order_id>/ship", OrderShipView.as_view(), name="order-ship"),
    path("orders/<name:order_id>/cancel", OrderCancelView.as_view(), name="order-cancel"),
    path("orders/<name:order_id>/confirm", OrderConfirmView.as_view(), name="order-confirm"),
    path("payments", PaymentsView.as_view(), name="payments"),
    path("payments/<name:payment_id>", PaymentView.as_view(), name="payment"),
    path(
        "inbound/channels/<name:name>", InboundView.as_view(kind="channels"), name="inbound-channel"
    ),
    path("inbound/rails/<name:name>", InboundView.as_view(kind="rails"), name="inbound-rail"),
    path("problems/<name:code>", ProblemView.as_view(), name="problem"),
    re_path(r"", MissingView.as_view()),
]
