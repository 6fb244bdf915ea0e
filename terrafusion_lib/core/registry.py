"""Things added by a file or an installed package: known by name, imported on use."""

import sys
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from terrafusion_lib.core.config import did_you_mean
from terrafusion_lib.core.errors import PluginError, TerraFusionError

ROOT = __name__.partition(".")[0]
PACKAGE_FOLDER = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Registry:
    """Things of one kind: built-ins found by scanning a folder, others by entry point.

    Parameters
    ----------
    kind : str
        Word for one of them in messages, such as ``plugin``.
    group : str
        Group of entry points, such as ``terrafusion.plugins``.
    folder : str
        Folder of the built-ins, relative to the package.
    file : str
        Their file within it, such as ``{name}/plugin.py``. One that is not Python is data: its
        entry point names the package and the file.
    attribute : str
        Attribute of the module to use; empty: the module itself.
    """

    kind: str
    group: str
    folder: str
    file: str
    attribute: str = ""
    skip: frozenset[str] = frozenset()

    def sources(self) -> dict[str, EntryPoint]:
        """All of them by name, sorted, without importing any.

        Raises
        ------
        PluginError
            Two have the same name; the error gives both locations.
        """
        known: dict[str, EntryPoint] = {}
        for source in (*self._built_in(), *_installed(self.group, tuple(sys.path))):
            if source.name in known:
                raise PluginError(
                    f"Two {self.kind}s are named {source.name}: "
                    f"{known[source.name].value} and {source.value}",
                    examples=[known[source.name].value, source.value],
                    hint="uninstall or rename one of them",
                )
            known[source.name] = source
        return dict(sorted(known.items()))

    def names(self) -> list[str]:
        """All names, sorted."""
        return list(self.sources())

    def source(self, name: str, error: type[TerraFusionError] = PluginError) -> EntryPoint:
        """Location of one of them.

        Raises
        ------
        TerraFusionError
            There is none by that name (raised as `error`); the closest is suggested.
        """
        sources = self.sources()
        if name not in sources:
            raise error(
                f"There is no {self.kind} {name!r}",
                examples=list(sources),
                hint=did_you_mean(name, sources),
            )
        return sources[name]

    def load(self, name: str, error: type[TerraFusionError] = PluginError) -> Any:
        """Import one of them.

        Raises
        ------
        PluginError
            It cannot be imported.
        TerraFusionError
            See `source`.
        """
        source = self.source(name, error)
        try:
            module = import_module(source.module)
            return getattr(module, source.attr) if source.attr else module
        except (ImportError, AttributeError) as cause:
            raise PluginError(
                f"{self.kind.capitalize()} {name} cannot be loaded from {source.value}: {cause}"
            ) from cause

    def _built_in(self) -> list[EntryPoint]:
        folder = PACKAGE_FOLDER / self.folder
        before, _, after = self.file.partition("{name}")
        package = ".".join((ROOT, *Path(self.folder).parts))
        entries = []
        for path in sorted(folder.glob(f"{before}*{after}")):
            place = path.relative_to(folder).as_posix()
            name = place.removeprefix(before).removesuffix(after)
            if name == "__init__" or name in self.skip:
                continue
            module = f"{package}.{place.removesuffix('.py').replace('/', '.')}"
            value = f"{module}:{self.attribute}" if self.attribute else module
            if path.suffix != ".py":
                value = f"{package}:{place}"
            entries.append(EntryPoint(name, value, self.group))
        return entries


@cache
def _installed(group: str, path: tuple[str, ...]) -> tuple[EntryPoint, ...]:  # noqa: ARG001
    """Entry points of the packages on `path`; read once, as that looks into every package."""
    return tuple(entry_points(group=group))


PLUGINS = Registry("plugin", "terrafusion.plugins", "plugins", "{name}/plugin.py", "plugin")
"""Plugins. Defined here because lower layers are built from what plugins declare: the store's
tables, the permissions, the steps of the main job."""
