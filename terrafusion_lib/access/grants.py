"""What a user may do in a county, as patterns that also cover plugins installed later.

A permission is ``<noun>:<verb>``, such as ``gis_export:run``. The noun is a part of the platform
or the name of a plugin; a plugin's verbs are its own. In a pattern ``*`` stands for any noun or
any verb.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from terrafusion_lib.core.config import nearest
from terrafusion_lib.core.registry import PLUGINS

PLATFORM = frozenset({"pipeline", "dashboard", "config", "users", "audit"})
"""Parts of the platform that have permissions but are not plugins."""
TO_COME = frozenset({"reporting", "market_analysis"})
"""Future plugins whose permissions already apply, such as for personal data."""
RUN = "pipeline:run"
"""To run steps, plan runs and have a JupyterLab."""
VIEW_RUNS = "pipeline:view"
"""To see the ledger, jobs, and rows as mapped."""
VIEW_DASHBOARDS = "dashboard:view"
VIEW_SENSITIVE = "reporting:view_sensitive"
"""To see personal data, wherever it is shown."""


@dataclass(frozen=True)
class Grants:
    """What a user may do in one county; check with ``"gis_export:run" in grants``.

    Raises
    ------
    ValueError
        The text is not a permission: an error in the program, not a refusal.
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
        """The permissions that are not granted, in the given order."""
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
