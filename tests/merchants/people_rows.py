"""One row of each table about people and how they meet us, for whoever browses all tables."""

from datetime import timedelta

from merchants.models import Branding, Invitation, Platform, User
from notifications.models import MailChoice
from tests.factories import AT


def make_rows_of_people(platform: Platform, operator: User) -> None:
    Invitation.objects.create(
        platform=platform,
        email="guest@example.com",
        role="VIEWER",
        language="en",
        invited_by=operator,
        sent_at=AT,
        expires_at=AT + timedelta(days=7),
    )
    Branding.objects.create(platform=platform, name="Tea", changed_at=AT)
    MailChoice.objects.create(user=operator, kind="ORDERS", wanted=True, changed_at=AT)
