"""Inviting somebody to a seller or a platform: the invitation and its mail, together or not at all.

It must never write a link down: a mail's link is signed when the mail is composed.
"""

from datetime import datetime

from ledger.usecases import use_case
from merchants import clocks
from merchants import services as merchants
from merchants.models import Invitation, User
from notifications.services import outbox


@use_case()
def invite_person(
    *, email: str, role: str, language: str, invited_by: User, at: datetime
) -> Invitation:
    """Ask somebody to join the seller or the platform of whoever invites.

    Args: role: of merchants.models.Role. language: of the mail, and of the person later.
        at: the real time; the link is good for seven days.
    Raises: what merchants.services.write_invitation refuses.
    Idempotent: by address: a second open invitation is refused. Locks: as write_invitation.
    """
    invitation = merchants.write_invitation(
        email=email, role=role, language=language, invited_by=invited_by, at=at
    )
    _write_mail(invitation, at)
    return invitation


@use_case()
def resend_invitation(*, invitation_id: str, by: User, at: datetime) -> Invitation:
    """Send an open or expired invitation again; the links sent before open nothing any more.

    Raises: what merchants.services.renew_invitation refuses. Locks: as renew_invitation.
    """
    invitation = merchants.renew_invitation(invitation_id=invitation_id, by=by, at=at)
    _write_mail(invitation, at)
    return invitation


def _write_mail(invitation: Invitation, at: datetime) -> None:
    host = invitation.invited_by
    outbox.record_event(
        type="invitation.sent",
        platform_id=invitation.platform_id,
        subject_id=invitation.pk,
        sequence=invitation.round,
        data={
            "invitation": invitation.pk,
            "round": invitation.round,
            "merchant": invitation.merchant_id,
            "email": invitation.email,
            "language": invitation.language,
            "role": invitation.role,
            "invited_by": host.get_full_name() or host.username,
            "expires_at": invitation.expires_at.isoformat(),
        },
        at=clocks.now_of(invitation.platform, now=at),
    )
