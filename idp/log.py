"""Log lines: one JSON object each, on standard error, without secrets (security.md, audit, logs, errors)."""

import logging
import sys

import structlog
from structlog.types import EventDict, WrappedLogger

from policies.redaction import redact


def configure_logging(level: int = logging.INFO) -> None:
    """Set up logging for this process.  Authlib prints issued tokens at DEBUG, so it is capped at INFO."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _without_secrets,
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.JSONRenderer()],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("alembic", "authlib", "httpx2", "httpcore2", "procrastinate", "ldap3"):
        logging.getLogger(noisy).setLevel(max(level, logging.WARNING))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def _without_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return redact(event)


log: structlog.stdlib.BoundLogger = structlog.get_logger("achkych")
