"""Optional packages: one way to import them and to say how to install them."""

import importlib
import importlib.util
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, metadata
from typing import Any, TypeVar

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from terrafusion_lib.core.errors import MissingDependencyError

PROJECT = "terrafusion"
FOR_TESTS = "test"
Missing = TypeVar("Missing", bound=MissingDependencyError)


def optional_package(package: str, purpose: str, *, module: str | None = None) -> Any:
    """Import a package of one of the extras.

    Parameters
    ----------
    package : str
        Name on the package index.
    purpose : str
        What needs the package, as the subject of a sentence: ``An export to s3://``.
    module : str, optional
        Name to import, if different.

    Raises
    ------
    MissingDependencyError
        It is not installed; the message names the extra, and the command that installs it.
    """
    module = module or package.replace("-", "_")
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise missing_package(package, purpose, module=module) from error


def missing_package(
    package: str,
    purpose: str,
    *,
    module: str | None = None,
    kind: type[Missing] = MissingDependencyError,  # type: ignore[assignment]
) -> Missing:
    """The error for a package that could not be imported; parameters as of `optional_package`."""
    extra, _ = _needed(package)
    named = f" (extra {extra})" if extra else ""
    there = importlib.util.find_spec(module or package.replace("-", "_")) is not None
    state = "cannot be loaded" if there else "is not installed"
    return kind(
        f"{purpose} needs the package {package}{named}, which {state}",
        hint=install_command(package),
    )


def install_command(package: str) -> str:
    """The command that installs a package and the rest of its extra, in compatible versions.

    It lists the packages themselves, because ``pip install terrafusion[…]`` would also resolve
    every other dependency and install what the lock leaves out (docs/decisions/0002-ploomber.md).
    """
    _, needed = _needed(package)
    return "pip install " + " ".join(f'"{item}"' for item in needed)


def _needed(package: str) -> tuple[str, list[str]]:
    """The extra that contains a package ('' if none) and that extra's requirements."""
    name = canonicalize_name(package)
    for extra, needed in _requirements().items():
        requirements = {
            canonicalize_name(item.name): f"{item.name}{item.specifier}" for item in needed
        }
        if name in requirements:
            return extra, list(requirements.values()) if extra else [requirements[name]]
    return "", [package]


def _requirements() -> dict[str, list[Requirement]]:
    """The project's requirements, in general (under '') and by extra, from its metadata."""
    try:
        known = metadata(PROJECT)
    except PackageNotFoundError:  # run from a source folder, not installed
        return {}
    extras: Iterable[str] = known.get_all("Provides-Extra") or ()
    needed = [Requirement(text) for text in known.get_all("Requires-Dist") or ()]
    by_extra = {
        extra: [item for item in needed if item.marker and item.marker.evaluate({"extra": extra})]
        for extra in extras
        if extra != FOR_TESTS
    }
    return {"": [item for item in needed if item.marker is None]} | by_extra
