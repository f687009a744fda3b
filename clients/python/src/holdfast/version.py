"""The version of this package, and of the API its requests and answers are written for."""

__version__ = "1.0.0"
API_VERSION = "2026-11-23"
