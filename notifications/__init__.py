"""Telling people and machines: the outbox, and what is delivered from it."""
