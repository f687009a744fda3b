"""The settings for tests and checks: the real ones, with made-up secrets where none are set.

With only DATABASE_URL and REDIS_URL set the whole suite runs on those servers. It must change no
other setting: what is tested is what runs.
"""

import os

os.environ.setdefault("SECRET_KEY", "only-for-tests-" * 4)
os.environ.setdefault("FIELD_ENCRYPTION_KEYS", "test:b25seS1mb3ItdGVzdHMtb25seS1mb3ItdGVzdHMhISE=")
os.environ.setdefault("RECEIPT_SIGNING_KEYS", "test:b25seS1mb3ItdGVzdHMtb25seS1mb3ItdGVzdHMhISE=")
os.environ.setdefault("SANDBOX_CHANNEL_SECRET", "only-for-tests-channel")
os.environ.setdefault("SANDBOX_BANK_SECRET", "only-for-tests-bank")

from settlement_site.settings import *  # noqa: F403
