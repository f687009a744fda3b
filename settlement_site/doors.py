"""Settings of the doors: how people sign in, what their browsers may do, the admin, the API.

Values only; `settings.py` takes all of them. It must never read the environment.
"""

from typing import Any

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.templatetags.static import static

from settlement_site.colors import INDIGO

# --- Signing in: django-allauth, one page for sellers, platforms and operators -------------------

AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "portal:home"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "portal.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]  # nobody signs up: see the adapter
ACCOUNT_EMAIL_VERIFICATION = "none"  # an owner invites, and the invitation proves the address
ACCOUNT_EMAIL_NOTIFICATIONS = True  # a changed password or second factor is told by mail
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300  # seconds
ACCOUNT_SESSION_REMEMBER = False
MFA_ADAPTER = "portal.accounts.MfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Holdfast"
MFA_ALLOW_UNVERIFIED_EMAIL = True

# A session ends after a working day, and with the browser.
SESSION_COOKIE_AGE = 12 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = True


# --- What a browser may do on our pages: no other host, nothing inline ---------------------------

CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],  # the QR code of a second factor
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}

# The admin's theme runs expressions in attributes (Alpine), so it gets more, and only it.
ADMIN_POLICY: dict[str, Any] = {
    "script-src": [SELF, UNSAFE_EVAL, UNSAFE_INLINE],
    "style-src": [SELF, UNSAFE_INLINE],
    "connect-src": [SELF],
}
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"


# --- The operators' door: the admin --------------------------------------------------------------

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Holdfast",
    "SITE_HEADER": "Holdfast",
    "SITE_URL": None,
    "SITE_ICON": lambda request: static("holdfast/logo.svg"),
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda request: static("holdfast/logo.svg"),
        }
    ],
    "STYLES": [lambda request: static("holdfast/admin.css")],
    "COLORS": {"primary": INDIGO},
    "BORDER_RADIUS": "8px",
    "SHOW_LANGUAGES": True,
    "DASHBOARD_CALLBACK": "operators.dashboard.add_dashboard",
    "SIDEBAR": {"navigation": "operators.navigation.sidebar"},
}


# --- The door for machines ------------------------------------------------------------------------

# The door for machines: JSON in, JSON out, keys of our own. The api app adds its classes to its
# views.
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_SCHEMA_CLASS": "api.schema.ApiSchema",
}

# The description of the API. What it says is found in the views (api/schema.py).
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Holdfast API",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": "/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SORT_OPERATIONS": False,  # as the addresses are listed
    "SORT_OPERATION_PARAMETERS": False,
    "POSTPROCESSING_HOOKS": ["api.schema.finish"],
    "LICENSE": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
}
