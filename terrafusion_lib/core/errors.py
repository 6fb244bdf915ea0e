"""One root error and its small families.

A message says what failed, where, the evidence, the likely cause and the next command, in that
order, so that a user of the command line never needs a traceback.
"""

from collections.abc import Sequence
from typing import Any


class TerraFusionError(Exception):
    """Root of every error that TerraFusion raises on purpose.

    Parameters
    ----------
    what : str
        What failed, in one sentence, without the location.
    county, step, table, column : str, optional
        Where it failed.
    count : int, optional
        Number of rows (or keys, files) affected.
    examples : sequence, optional
        Evidence; the first five are shown.
    cause : str, optional
        The likely cause.
    hint : str, optional
        The next command to type, or what to change.
    """

    exit_code = 1

    def __init__(
        self,
        what: str,
        *,
        county: str | None = None,
        step: str | None = None,
        table: str | None = None,
        column: str | None = None,
        count: int | None = None,
        examples: Sequence[object] = (),
        cause: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.what = what
        self.county = county
        self.step = step
        self.table = table
        self.column = column
        self.count = count
        self.examples = tuple(examples[:5])
        self.cause = cause
        self.hint = hint
        super().__init__(what)

    def __reduce__(self) -> tuple[object, ...]:
        """Keep every field when the error crosses a process boundary (kernel, pool)."""
        return (_rebuild, (type(self), self.__dict__.copy()))

    def __str__(self) -> str:
        place = [
            f"{label} {value}"
            for label, value in (
                ("county", self.county),
                ("step", self.step),
                ("table", self.table),
                ("column", self.column),
            )
            if value
        ]
        what = self.what.rstrip(".")
        parts = [f"{what} ({', '.join(place)})" if place else what]
        if self.count is not None:
            parts.append(f"{self.count:,} affected")
        if self.examples:
            parts.append("For example " + ", ".join(str(key) for key in self.examples))
        if self.cause:
            parts.append(f"Likely cause: {self.cause}")
        if self.hint:
            parts.append(f"Next: {self.hint}")
        return " ".join(_sentence(part) for part in parts)


def _sentence(part: str) -> str:
    return part if part.endswith(("?", "!")) else part.rstrip(".") + "."


def _rebuild(cls: type[TerraFusionError], fields: dict[str, object]) -> TerraFusionError:
    error = cls(str(fields["what"]))
    error.__dict__.update(fields)
    return error


class ConfigError(TerraFusionError, ValueError):
    """A configuration file, setting or parameter is missing, malformed or contradictory."""

    exit_code = 2


class MissingDependencyError(TerraFusionError, ImportError):
    """A driver, package or service that the task needs is not installed; the hint says how."""

    exit_code = 3


class ConnectError(TerraFusionError):
    """The source system cannot be reached or read, or does not match the mapping."""

    exit_code = 4


class MappingError(TerraFusionError):
    """The mapping cannot be compiled or does not fit the raw tables."""

    exit_code = 5


class GateError(TerraFusionError):
    """A validation suite or a reconciliation failed, so the run stops before loading."""

    exit_code = 6


class LoadError(TerraFusionError):
    """The operational database could not be written; its last good state remains."""

    exit_code = 7


class PluginError(TerraFusionError):
    """A plugin is unknown or duplicated, rejected its parameters, or failed."""

    exit_code = 8


class ValuationError(PluginError):
    """A valuation is not possible with the given data."""


class RunError(TerraFusionError):
    """A run cannot start, continue or be found."""

    exit_code = 9


class AccessDeniedError(TerraFusionError):
    """The user's roles do not grant `permission`; `reason_code` is for programs."""

    exit_code = 10

    def __init__(
        self, what: str, *, permission: str = "", reason_code: str = "", **place: Any
    ) -> None:
        super().__init__(what, **place)
        self.permission = permission
        self.reason_code = reason_code
