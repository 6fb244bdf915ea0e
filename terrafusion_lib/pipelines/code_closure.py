"""The code a result depends on: modules, everything they import, and data files.

Imports count anywhere, including inside functions. Imports only for type checkers do not count,
nor does the root package, which contains only the version. grimp reads the sources without
importing anything.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

import grimp
from grimp.exceptions import SourceSyntaxError

from terrafusion_lib.core.errors import PluginError, RunError
from terrafusion_lib.core.files import file_hash, fingerprint
from terrafusion_lib.core.versions import installed_version

ROOT = __name__.partition(".")[0]
DATA = (".css", ".html", ".j2", ".json", ".mako", ".sql", ".yaml")
"""Data files that code reads from its own folder; a module includes those next to it."""
DISTRIBUTIONS = {"psycopg2": "psycopg2-binary", "sklearn": "scikit-learn", "yaml": "PyYAML"}
"""Distributions whose name differs from the imported package."""


@dataclass(frozen=True)
class Closure:
    """Modules whose source a result depends on, and third-party libraries that they import."""

    modules: frozenset[str]
    libraries: frozenset[str]

    def code(self) -> dict[str, str]:
        """Fingerprint of the source by subpackage, including data files next to the modules."""
        groups: dict[str, dict[str, str]] = {}
        for module in self.modules:
            root, *names = module.split(".")
            digests = groups.setdefault(names[0] if root == ROOT else root, {})
            for path in source_files(module):
                place = path.relative_to(package_folder(root).parent).as_posix()
                digests[place] = _hash(path)
        return {name: fingerprint(digests) for name, digests in sorted(groups.items())}

    def versions(self) -> dict[str, str]:
        """Installed version by library; missing if an optional library is not installed."""
        return {
            name: installed_version(DISTRIBUTIONS.get(name, name))
            for name in sorted(self.libraries)
        }


def closure(entries: Iterable[str], *, without: Iterable[str] = ()) -> Closure:
    """Everything that the modules `entries` import, directly or indirectly.

    Parameters
    ----------
    entries : iterable of str
        Full module names, of this package or of one that extends it. A module outside any package
        counts alone, without its imports.
    without : iterable of str
        Modules to exclude, with what only they import.

    Raises
    ------
    RunError
        A source file is not valid Python.
    """
    waiting = sorted(entries)
    graph = _graph(tuple(sorted({ROOT, *filter(_is_package, map(_root, waiting))})))
    left_out, modules, libraries = {ROOT, *without}, set[str](), set[str]()
    while waiting:
        module = waiting.pop()
        if module in modules or module in left_out:
            continue
        if module in graph.modules and graph.is_module_squashed(module):
            libraries.add(module)
            continue
        modules.add(module)
        if module in graph.modules:
            waiting += [*graph.find_modules_directly_imported_by(module), *_parents(module)]
    return Closure(frozenset(modules), frozenset(libraries - sys.stdlib_module_names))


def source_files(module: str) -> list[Path]:
    """Source of a module, located without importing it, and the data files next to it."""
    root, *names = module.split(".")
    path = package_folder(root).joinpath(*names)
    if not _is_package(root):
        return [path / f"{root}.py"]
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return [path, *sorted(item for item in path.parent.iterdir() if item.suffix in DATA)]


@cache
def package_folder(root: str) -> Path:
    """Folder of a top-level package, or of a top-level module."""
    return Path(str(_spec(root).origin)).parent


@cache
def _graph(packages: tuple[str, ...]) -> grimp.ImportGraph:
    try:
        return grimp.build_graph(
            *packages,
            include_external_packages=True,
            exclude_type_checking_imports=True,
            cache_dir=None,
        )
    except SourceSyntaxError as error:
        raise RunError(str(error), hint="correct the file, then plan again") from error


@cache
def _hash(path: Path) -> str:
    """Hash of a source file as first seen by this process, the version it imports."""
    return file_hash(path)


def _spec(root: str) -> ModuleSpec:
    spec = find_spec(root)
    if spec is None:
        raise PluginError(f"The package {root} is not installed")
    return spec


def _is_package(root: str) -> bool:
    return _spec(root).submodule_search_locations is not None


def _root(module: str) -> str:
    return module.partition(".")[0]


def _parents(module: str) -> list[str]:
    """Parent packages imported with a module."""
    parts = module.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]
