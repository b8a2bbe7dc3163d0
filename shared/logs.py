"""JSON logs by structlog with an allow-list of fields: a field that is not listed is dropped and counted, never printed."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

# What a log line may hold: codes, counts, opaque ids, places. No text that came from outside.
ALLOWED_FIELDS = frozenset(
    {
        "event", "level", "timestamp", "service", "topic", "partition", "offset", "next_offset", "log_start", "records", "reason",
        "code", "seconds", "count", "period", "payer", "provider", "batch_id", "instruction_id", "import_id", "campaign", "round",
        "beneficiary_id", "event_id", "attempt", "state", "vnd", "rows", "refused", "port", "pid", "act", "actor", "path", "dropped",
        "group", "status", "method", "route", "error",
    }
)  # fmt: skip

Fields = MutableMapping[str, Any]


def _only_allowed(_logger: object, _name: str, fields: Fields) -> Fields:
    refused = [name for name in fields if name not in ALLOWED_FIELDS]
    for name in refused:
        del fields[name]
    if refused:
        fields["dropped"] = len(refused)
    return fields


def configure(service: str, stream: TextIO | None = None) -> structlog.stdlib.BoundLogger:
    """Set up logging for one process and return its logger. Libraries' own loggers are kept at WARNING without their texts.

    FastStream, aiokafka and asyncpg put payloads and database details into their messages (shared finding of several reviews), so
    of a library's record only logger name and level are written.
    """
    target = stream or sys.stdout
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _only_allowed,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(target),
        cache_logger_on_first_use=False,
    )
    logger: structlog.stdlib.BoundLogger = structlog.get_logger().bind(service=service)
    root = logging.getLogger()
    root.handlers[:] = [_CodesOnly(logger)]
    root.setLevel(logging.WARNING)
    for noisy in ("aiokafka", "faststream", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    return logger


class _CodesOnly(logging.Handler):
    """Turns a library's record into its logger name, level and exception class."""

    def __init__(self, logger: structlog.stdlib.BoundLogger) -> None:
        super().__init__()
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        self._logger.warning("library_message", code=record.name, error=error, state=record.levelname)
