"""How people sign in: by invitation only, in their own language, and operators into the admin."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from merchants import encryption

SECOND_FACTOR = "second factor"  # never another word: what is stored is bound to it


class AccountAdapter(DefaultAccountAdapter):
    """What differs from django-allauth."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody makes an account alone: an owner invites."""
        return False

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return reverse("portal:home")

    def post_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse:
        """Go on in the language the person has chosen for mails and pages."""
        answer: HttpResponse = super().post_login(request, user, **kwargs)
        answer.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            user.language,
            secure=settings.SESSION_COOKIE_SECURE,
            samesite="Lax",
        )
        return answer


class MfaAdapter(DefaultMFAAdapter):
    """The second factor says who it is for, and what it is made of is kept sealed."""

    def encrypt(self, text: str) -> str:
        return encryption.seal_text(text, purpose=SECOND_FACTOR)

    def decrypt(self, encrypted_text: str) -> str:
        return encryption.open_text(encrypted_text, purpose=SECOND_FACTOR)

    def get_totp_label(self, user: Any) -> str:
        return str(user.email or user.username)
