"""Every setting of Holdfast, read from the environment.

It must never hold a secret or a rule about money.
"""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pghistory
import pgtrigger
from django.db.models import DO_NOTHING
from kombu import Exchange, Queue

from settlement_site import embedded_postgres, embedded_valkey, environment, logs
from settlement_site.clockwork import clockwork
from settlement_site.doors import *  # noqa: F403 - sign-in, what browsers may do, the admin, the API
from settlement_site.environment import BASE_DIR, VAR_DIR, BadSetting

# Without DATABASE_URL this checkout runs its own PostgreSQL under var/ and may make its own secrets
# there.
DATABASE_URL = environment.text("DATABASE_URL", "")
EMBEDDED = not DATABASE_URL
_made = environment.made_secrets() if EMBEDDED else {}


# --- Secrets -------------------------------------------------------------------------------------

# Signs sessions and form tokens.
SECRET_KEY = environment.text("SECRET_KEY", _made.get("SECRET_KEY", ""))
if len(SECRET_KEY) < 32:
    raise BadSetting("set SECRET_KEY to at least 32 random characters.")

# Seals bank account numbers: key id -> base64 of 32 bytes. The first seals, all open.
FIELD_ENCRYPTION_KEYS = environment.encryption_keys("FIELD_ENCRYPTION_KEYS", _made)

# Sign the receipts of releases (Ed25519), newest first, each from its instant on (id@since:base64).
RECEIPT_SIGNING_KEYS = environment.signing_keys("RECEIPT_SIGNING_KEYS", _made)


# --- Addresses -----------------------------------------------------------------------------------

# Where buyers, channels and banks reach us; notification addresses are built from it.
PUBLIC_URL = environment.base_url("PUBLIC_URL", "http://127.0.0.1:8000")

# Host names we answer to.
ALLOWED_HOSTS = [
    host.strip()
    for host in environment.text(
        "ALLOWED_HOSTS", f"{urlsplit(PUBLIC_URL).hostname},localhost,127.0.0.1,[::1]"
    ).split(",")
]

# Forms posted from our own pages, behind whatever proxy, come from this origin.
CSRF_TRUSTED_ORIGINS = ["{0.scheme}://{0.netloc}".format(urlsplit(PUBLIC_URL))]

# Private networks webhooks may be sent to, such as `10.0.0.0/8`, by http and to any port too. By
# default none: everything else must be public, speak https and listen on port 443 or 8443.
WEBHOOK_ALLOWED_NETWORKS = environment.networks("WEBHOOK_ALLOWED_NETWORKS")

# Cookies travel over https only, as soon as we are served over https.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https:")

# Pages with stack traces. Never in production.
DEBUG = environment.flag("DEBUG", default=False)


# --- Applications --------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold",  # before the admin, whose templates it replaces
    "django.contrib.admin",
    "django_cotton",  # the components of the portal's pages
    "django_htmx",
    "allauth",  # signing in, for everybody
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",  # the page that shows the API, without another host
    "pgtrigger",
    "pghistory",
    "django_fsm",
    "ledger",
    "merchants",
    "channels",
    "notifications",
    "orders",
    "escrow",
    "payouts",
    "api",
    "portal",
    "operators",  # after the apps whose pages it completes
    "demo",
    "sandbox",
]

MIDDLEWARE = [
    "api.middleware.RequestIdMiddleware",  # first: every answer carries its id
    "api.request_log.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "api.middleware.BodyLimitMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "operators.middleware.OperatorsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.shell.shell",
            ],
        },
    },
]

ROOT_URLCONF = "settlement_site.urls"
WSGI_APPLICATION = "settlement_site.wsgi.application"
ASGI_APPLICATION = "settlement_site.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The largest request of ours, a file of 5 MiB in base64; api.middleware holds others far lower.
DATA_UPLOAD_MAX_MEMORY_SIZE = 7 * 1024 * 1024


# What one API key may send per minute before it is asked to wait.
API_READS_PER_MINUTE = environment.number("API_READS_PER_MINUTE", 6000, lowest=1, highest=10**8)
API_WRITES_PER_MINUTE = environment.number("API_WRITES_PER_MINUTE", 3000, lowest=1, highest=10**8)


# --- People --------------------------------------------------------------------------------------

AUTH_USER_MODEL = "merchants.User"

# Argon2 first; the second only so that passwords made by Django's default can still be checked.
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]

# Whether operators need a second factor. Only the demo of this checkout does without by default.
OPERATOR_MFA = environment.flag("OPERATOR_MFA", default=not EMBEDDED)

_VALIDATION = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_VALIDATION}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_VALIDATION}.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": f"{_VALIDATION}.CommonPasswordValidator"},
]

# Mail is written under var/mail ("file", embedded mode), to standard output ("console"), or sent
# ("smtp").
EMAIL_DELIVERY = environment.choice(
    "EMAIL_DELIVERY", "file" if EMBEDDED else "console", ("file", "console", "smtp")
)
EMAIL_BACKEND = {
    "file": "django.core.mail.backends.filebased.EmailBackend",
    "console": "django.core.mail.backends.console.EmailBackend",
    "smtp": "django.core.mail.backends.smtp.EmailBackend",
}[EMAIL_DELIVERY]
EMAIL_FILE_PATH = VAR_DIR / "mail"

# The mail server, for "smtp" only.
EMAIL_HOST = environment.text("EMAIL_HOST", "localhost")
EMAIL_PORT = environment.number("EMAIL_PORT", 587, lowest=1, highest=65535)
EMAIL_HOST_USER = environment.text("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = environment.text("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = environment.flag("EMAIL_USE_TLS", default=True)

# The sender of every mail.
DEFAULT_FROM_EMAIL = environment.text("DEFAULT_FROM_EMAIL", "holdfast@localhost")


# --- Language and time ---------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True

# Instants are UTC everywhere; a platform's own time zone matters only where a calendar does.
USE_TZ = True
TIME_ZONE = "UTC"


# --- Static files --------------------------------------------------------------------------------

STATIC_URL = "/static/"

# Our own; each package brings its own besides.
STATICFILES_DIRS = [BASE_DIR / "static"]

# Where `collectstatic` collects them. When empty they are served straight from the packages.
STATIC_ROOT = environment.text("STATIC_ROOT", "") or None
WHITENOISE_USE_FINDERS = STATIC_ROOT is None


# --- PostgreSQL ----------------------------------------------------------------------------------

# A lock, a statement or an idle transaction that lasts longer is an error to us. (reliability:
# short locks)
SESSION_OPTIONS = (
    "-c lock_timeout=3s -c statement_timeout=60s -c idle_in_transaction_session_timeout=30s"
    # No trigger is switched off. Unset, pgtrigger's triggers raise and catch an error at each call.
    " -c pgtrigger.ignore={}"
    # Functions and triggers keep their first plan: their look-ups are by key whatever the values,
    # and planning the release anew costs more than running it.
    " -c plan_cache_mode=force_generic_plan"
)

_database: dict[str, Any] = (
    embedded_postgres.database() if EMBEDDED else environment.database("DATABASE_URL")
)
_options = _database.pop("OPTIONS", {})
DATABASES = {
    "default": {
        **_database,
        "CONN_MAX_AGE": 600,  # seconds; connecting for each request costs half the throughput
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            **_options,
            # For ledger.prepared alone: Django's own cursors send whole statements.
            "prepare_threshold": 0,
            "options": f"{SESSION_OPTIONS} {_options.get('options', '')}".strip(),
        },
    }
}


# --- Redis or Valkey: Celery's doorbell and the cache. It may be flushed at any moment -----------

# Without REDIS_URL this checkout runs its own Valkey under var/.
_redis = environment.url("REDIS_URL", embedded_valkey.url(), ("redis", "rediss", "unix"))

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": _redis,
        "KEY_PREFIX": "holdfast",
    }
}


# --- Celery --------------------------------------------------------------------------------------

CELERY_BROKER_URL = environment.broker_url(_redis)
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"

# What a task did is in PostgreSQL; nobody asks Celery.
CELERY_TASK_IGNORE_RESULT = True

# A killed worker's task comes again. Every task may run twice.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1

# Longest task < time limit < visibility timeout, or Redis would hand a running task to a second
# worker.
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_TASK_TIME_LIMIT = 300
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 1800,
    "global_keyprefix": "holdfast:",
    "socket_timeout": 30,
    "health_check_interval": 30,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

# Money never waits behind mail, nor mail behind webhooks. A worker without -Q serves all queues.
CELERY_TASK_QUEUES = [
    Queue(name, Exchange(name), routing_key=name) for name in ("money", "default", "webhooks")
]
CELERY_TASK_DEFAULT_QUEUE = "default"

# How often the fast sweeps run.
SWEEP_SECONDS = environment.number("SWEEP_SECONDS", 5, lowest=1, highest=3600)
# After how many days a seller that still owes for a refund is asked to pay it into the reserve.
DEBIT_REQUEST_AFTER_DAYS = environment.number("DEBIT_REQUEST_AFTER_DAYS", 14, lowest=1, highest=365)
# How many days it then has to pay, before the platform's guarantee, if there is one, pays for it.
DEBIT_REQUEST_TERM_DAYS = environment.number("DEBIT_REQUEST_TERM_DAYS", 14, lowest=4, highest=365)
CLOCKWORK = clockwork(fast=timedelta(seconds=SWEEP_SECONDS))
CELERY_TASK_ROUTES = {task: {"queue": queue} for task, _, queue in CLOCKWORK}

# A tick that nobody took in time is dropped: the next one does its work.
CELERY_BEAT_SCHEDULE = {
    task: {"task": task, "schedule": every, "options": {"expires": max(60, every.total_seconds())}}
    for task, every, _ in CLOCKWORK
}
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "run" / "beat-schedule")


# --- Who changed what: django-pghistory, by statement triggers, append-only ----------------------

PGHISTORY_APPEND_ONLY = True
PGHISTORY_LEVEL = pgtrigger.Statement
PGHISTORY_CONTEXT_FIELD = pghistory.ContextJSONField()
PGHISTORY_CONTEXT_ID_FIELD = pghistory.ContextUUIDField()
PGHISTORY_OBJ_FIELD = pghistory.ObjForeignKey(
    db_index=True, related_name="audit", on_delete=DO_NOTHING, db_constraint=False
)


# --- Channels and rails: the outside world of money ----------------------------------------------

# Where the sandbox channel and the sandbox bank listen.
SANDBOX_CHANNEL_URL = environment.base_url("SANDBOX_CHANNEL_URL", "http://127.0.0.1:8001")
SANDBOX_BANK_URL = environment.base_url("SANDBOX_BANK_URL", "http://127.0.0.1:8002")

# The keys both sides sign with. Without a secret the channel or rail is disabled, never unsigned.
SANDBOX_CHANNEL_KEY_ID = environment.text("SANDBOX_CHANNEL_KEY_ID", "sandbox-channel-1")
SANDBOX_CHANNEL_SECRET = environment.text(
    "SANDBOX_CHANNEL_SECRET", _made.get("SANDBOX_CHANNEL_SECRET", "")
)
SANDBOX_BANK_KEY_ID = environment.text("SANDBOX_BANK_KEY_ID", "sandbox-bank-1")
SANDBOX_BANK_SECRET = environment.text("SANDBOX_BANK_SECRET", _made.get("SANDBOX_BANK_SECRET", ""))

# Ways for buyers to pay, by name.
CHANNELS: dict[str, dict[str, Any]] = {
    "sandbox": {
        "provider": "sandbox",
        "base_url": SANDBOX_CHANNEL_URL,
        "key_id": SANDBOX_CHANNEL_KEY_ID,
        "secret": SANDBOX_CHANNEL_SECRET,
        "custodian": "sandbox-bank",
    },
}

# Ways to pay sellers out of the reserve, by name.
RAILS: dict[str, dict[str, Any]] = {
    "sandbox-bank": {
        "provider": "sandbox",
        "base_url": SANDBOX_BANK_URL,
        "key_id": SANDBOX_BANK_KEY_ID,
        "secret": SANDBOX_BANK_SECRET,
        "custodian": "sandbox-bank",
        "remembers_references": True,
        "finality_seconds": 60,
    },
}

# The accounts that sellers pay their debts into, as JSON by custodian: account_name, account_number
# (or IBAN), bank_name and perhaps bank_code. Each custodian of a rail needs one.
RESERVE_ACCOUNTS = environment.reserve_accounts(
    "RESERVE_ACCOUNTS", custodians={rail["custodian"] for rail in RAILS.values()}
)


# --- Proof and logs ------------------------------------------------------------------------------

# What `manage.py audit_books` runs, in this order: functions that yield the violations they find.
AUDIT_CHECKS = ["ledger.audit.run", "escrow.audit.run", "payouts.audit.run"]

# One JSON object per line on standard error.
LOG_LEVEL = environment.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOGGING = logs.configuration(LOG_LEVEL)
