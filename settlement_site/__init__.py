"""Wiring only: settings, clockwork, doors. It must never decide anything about money."""

from settlement_site.celery import app as celery_app

__all__ = ["celery_app"]
