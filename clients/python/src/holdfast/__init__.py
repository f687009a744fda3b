"""Holdfast for Python: orders, payments, settlements and webhooks of the Holdfast API.

from holdfast import Holdfast

client = Holdfast("sk_test_…", "https://pay.example.com")
order = client.orders.create(reference="A-1001", merchant="mer_…", currency="CNY", lines=[…])
"""

from holdfast import models, webhooks
from holdfast._client import AsyncHoldfast, Holdfast
from holdfast._exchange import Policy
from holdfast.errors import (
    AnswerUnreadable,
    ApiError,
    Conflict,
    ConnectionFailed,
    FieldError,
    HoldfastError,
    Invalid,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    RateLimited,
    ReceiptRefused,
    TimedOut,
    Unavailable,
    WebhookError,
)
from holdfast.pages import AsyncPages, Page, Pages
from holdfast.version import API_VERSION, __version__

__all__ = [
    "API_VERSION",
    "AnswerUnreadable",
    "ApiError",
    "AsyncHoldfast",
    "AsyncPages",
    "Conflict",
    "ConnectionFailed",
    "FieldError",
    "Holdfast",
    "HoldfastError",
    "Invalid",
    "NotAllowed",
    "NotAuthenticated",
    "NotFound",
    "Page",
    "Pages",
    "Policy",
    "RateLimited",
    "ReceiptRefused",
    "TimedOut",
    "Unavailable",
    "WebhookError",
    "__version__",
    "models",
    "webhooks",
]
