"""One JSON object per line, for machines to read.

It must never print a secret, nor the variables of a frame.
"""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

SECRET_NAME = re.compile(
    r"secret|token|password|api_?key|authorization|cookie|signature|account_number", re.I
)
HIDDEN = "[hidden]"
# The link of a buyer, or of somebody invited: whoever has it acts for them. Django logs the
# addresses it refuses.
SIGNED_LINK = re.compile(r"(/(?:(?:o|pay)/[\w-]{1,64}|join/[\w-]{1,64}/\d+)/)[\w.~-]{20,}")
_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "request"}


class JsonFormatter(logging.Formatter):
    """Writes time, level, logger, message, the fields given as `extra`, and a plain traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one line of JSON."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name, value in vars(record).items():
            if name not in _USUAL and not name.startswith("_"):
                line[name] = HIDDEN if SECRET_NAME.search(name) else value
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return SIGNED_LINK.sub(rf"\1{HIDDEN}", json.dumps(line, ensure_ascii=False, default=str))


def configuration(level: str) -> dict[str, Any]:
    """Build the dictConfig that Django, Celery and gunicorn share."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "settlement_site.logs.JsonFormatter"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # These two tell the address, and an address may carry a buyer's token.
            "httpx": {"level": "WARNING"},
            "httpcore": {"level": "WARNING"},
            "django": {"handlers": [], "level": level, "propagate": True},
        },
    }
