"""The one place that writes commands so that they work when typed.

Messages use plain program names: ``terrafusion run demo_wa``, ``pip install …``. When a message is
shown in a shell, `as_typed` rewrites each of this environment's programs so that the shell finds
it: by name if it is on the PATH, otherwise by path, such as ``.venv/bin/terrafusion``.
"""

import os
import re
import shlex
import shutil
import sys
import sysconfig
from functools import cache
from pathlib import Path

from terrafusion_lib.core.declared import declared_plugins

NOUNS = (
    "connect", "counties", "dashboard", "demo", "hub", "jobs", "lab", "mapping", "notebooks",
    "plan", "plugins", "run", "runs", "users",
)  # fmt: skip
"""The platform's nouns, which follow ``terrafusion`` in a command; plugins have their own."""
MODULES = {"terrafusion": "terrafusion_lib.cli"}
COUNTY = "<county>"


def as_typed(text: str, *, county: str | None = None, folder: Path | None = None) -> str:
    """`text` with its commands rewritten to work in a shell.

    Parameters
    ----------
    county : str, optional
        Replaces ``<county>``.
    folder : Path, optional
        The shell's working folder; by default the process's.
    """
    if county:
        text = text.replace(COUNTY, county)
    return _programs(command_nouns()).sub(lambda found: program(found[0], folder=folder), text)


def command_nouns() -> tuple[str, ...]:
    """Every noun that can follow ``terrafusion`` in a command, sorted."""
    return tuple(sorted({*NOUNS, *(item.verb_of()[0] for item in declared_plugins().values())}))


@cache
def _programs(nouns: tuple[str, ...]) -> re.Pattern[str]:
    """Programs named in a text; a database called terrafusion in a server's message is not one."""
    return re.compile(
        r"(?<![\w./\\:-])(?:"
        rf"(?P<own>terrafusion)(?= (?:{'|'.join(nouns)})\b)|(?P<pip>pip)(?= install )|"
        r"(?P<keyring>keyring)(?= set ))"
    )


def program(name: str, *, folder: Path | None = None) -> str:
    """How to call a program of this environment: by name, path, or ``python -m`` and module. Works
    on Windows too, where the program folder is ``Scripts`` instead of ``bin``.
    """
    script = shutil.which(name, path=sysconfig.get_path("scripts"))
    if script is None:
        python = _path(Path(sys.executable), folder)
        return f"{python} -m {MODULES.get(name, name)}"
    on_path = shutil.which(name)
    if on_path and Path(on_path).samefile(script):
        return name
    return _path(Path(script), folder)


def activation() -> str | None:
    """The command that activates the environment; None if not needed or not possible."""
    scripts = Path(sysconfig.get_path("scripts"))
    if sys.prefix == sys.base_prefix or program("terrafusion") == "terrafusion":
        return None
    if os.name == "nt":
        return _path(scripts / "activate", None)
    return f". {_path(scripts / 'activate', None)}"


def _path(path: Path, folder: Path | None) -> str:
    """The path relative to `folder` if inside it, quoted if the shell requires it."""
    here = folder or Path.cwd()
    short = str(path.relative_to(here) if path.is_relative_to(here) else path)
    if os.name != "nt":
        return shlex.quote(short)
    return f'"{short}"' if " " in short else short.removesuffix(".EXE").removesuffix(".exe")
