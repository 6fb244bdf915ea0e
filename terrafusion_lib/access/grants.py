"""What somebody may do in a county, as patterns that also fit a plugin that comes later.

A permission is ``<noun>:<verb>``, such as ``gis_export:run``. The noun is a part of the platform
or the name of a plugin; a plugin's verbs are its own. In a pattern ``*`` stands for any noun or
any verb.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from terrafusion_lib.core.config import nearest
from terrafusion_lib.core.registry import PLUGINS

PLATFORM = frozenset({"pipeline", "dashboard", "config", "users", "audit"})
"""Parts that are no plugins and have permissions."""
TO_COME = frozenset({"reporting", "market_analysis"})
"""Plugins to come whose permissions decide already, such as who sees personal data."""
RUN = "pipeline:run"
"""To run steps, plan runs and have a JupyterLab."""
VIEW_RUNS = "pipeline:view"
"""To see the ledger, jobs, and rows as mapped."""
VIEW_DASHBOARDS = "dashboard:view"
VIEW_SENSITIVE = "reporting:view_sensitive"
"""To see personal data, wherever they are shown."""


@dataclass(frozen=True)
class Grants:
    """What somebody may do in one county; ask with ``"gis_export:run" in grants``.

    Raises
    ------
    ValueError
        What is asked is no permission: a mistake in the program, not a refusal.
    """

    patterns: frozenset[str] = frozenset()

    @classmethod
    def of(cls, *patterns: str) -> "Grants":
        """Grants of these patterns."""
        return cls(frozenset(patterns))

    def __contains__(self, permission: object) -> bool:
        noun, verb = _parts(permission)
        fitting = {permission, f"*:{verb}", f"{noun}:*", "*:*"}
        return not fitting.isdisjoint(self.patterns)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self.patterns))

    def __len__(self) -> int:
        return len(self.patterns)

    def __or__(self, other: "Grants") -> "Grants":
        return Grants(self.patterns | other.patterns)

    def lacking(self, permissions: Iterable[str]) -> list[str]:
        """Those of the permissions that are not granted, in their order."""
        return [permission for permission in permissions if permission not in self]


def _parts(permission: object) -> tuple[str, str]:
    """Noun and verb of a permission."""
    noun, _, verb = str(permission).partition(":")
    if not verb or "*" in verb:
        raise ValueError(f"{permission} is not a permission; write <noun>:<verb>")
    if noun not in PLATFORM | TO_COME and noun not in PLUGINS.names():
        close = nearest(noun, sorted({*PLATFORM, *TO_COME, *PLUGINS.names()}))
        hint = f"; did you mean {close[0]}:{verb}?" if close else ""
        raise ValueError(f"{permission} is not a permission: nothing is named {noun!r}{hint}")
    return noun, verb
