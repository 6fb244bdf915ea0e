"""Structured logs: JSON lines with the run id, secrets masked."""

import json
import logging
import re
from pathlib import Path

SECRET = re.compile(
    r"(?i)((?:password|pwd|token|secret)\s*[=:]\s*)[^\s;&,}]+|(://[^:/\s]+:)[^@\s]+(?=@)"
)


def mask_secrets(text: str) -> str:
    """`text` with passwords and tokens in connection strings and URLs replaced by ``***``."""
    return SECRET.sub(lambda found: (found.group(1) or found.group(2)) + "***", text)


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time, level, logger, message and the extra fields given."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": mask_secrets(record.getMessage()),
        }
        fields |= getattr(record, "fields", {})
        if record.exc_info:
            fields["error"] = mask_secrets(self.formatException(record.exc_info))
        return json.dumps(fields, default=str)


def configure(path: Path | None = None, *, level: int = logging.INFO) -> logging.Logger:
    """Send the package's log to `path` (appended), or nowhere when None; returns the logger."""
    logger = logging.getLogger("terrafusion")
    logger.setLevel(level)
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
    if path is None:
        logger.addHandler(logging.NullHandler())
        return logger
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(JsonFormatter())
    logger.addHandler(handler)
    return logger
