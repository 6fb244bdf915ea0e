"""Something that another package adds by an entry point, as if it were installed."""

from importlib.metadata import EntryPoint

import pytest

from terrafusion_lib.core import registry


def add_outside(
    monkeypatch: pytest.MonkeyPatch, kind: registry.Registry, name: str, value: str
) -> None:
    """Let `kind` find one more entry point, and others those that are installed."""
    installed = registry._installed
    point = EntryPoint(name, value, kind.group)
    monkeypatch.setattr(
        registry,
        "_installed",
        lambda group, path: (*installed(group, path), *([point] if group == kind.group else [])),
    )
