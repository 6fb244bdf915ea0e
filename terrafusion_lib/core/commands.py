"""How commands are written so that they work when they are typed: the one place for it.

Messages name programs plainly: ``terrafusion run demo_wa``, ``pip install …``. Where a message is
shown to somebody at a shell, `as_typed` writes each program of this environment as that shell finds
it: by its name where the PATH leads to it, else by its path, such as ``.venv/bin/terrafusion``.
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
"""What follows ``terrafusion`` in a command of the platform; plugins have nouns of their own."""
MODULES = {"terrafusion": "terrafusion_lib.cli"}
COUNTY = "<county>"


def as_typed(text: str, *, county: str | None = None, folder: Path | None = None) -> str:
    """`text` with its commands as they work in a shell.

    Parameters
    ----------
    county : str, optional
        Takes the place of ``<county>``.
    folder : Path, optional
        Where the shell is; the working folder when None.
    """
    if county:
        text = text.replace(COUNTY, county)
    return _programs(command_nouns()).sub(lambda found: program(found[0], folder=folder), text)


def command_nouns() -> tuple[str, ...]:
    """Everything that follows ``terrafusion`` in a command, sorted."""
    return tuple(sorted({*NOUNS, *(item.verb_of()[0] for item in declared_plugins().values())}))


@cache
def _programs(nouns: tuple[str, ...]) -> re.Pattern[str]:
    """Programs in a text; a server's word on a database named terrafusion is none."""
    return re.compile(
        r"(?<![\w./\\:-])(?:"
        rf"(?P<own>terrafusion)(?= (?:{'|'.join(nouns)})\b)|(?P<pip>pip)(?= install )|"
        r"(?P<keyring>keyring)(?= set ))"
    )


def program(name: str, *, folder: Path | None = None) -> str:
    """How a program of this environment is called: its name, its path, or ``python -m`` its module.

    Windows and others alike: the folder of programs is ``Scripts`` there and ``bin`` elsewhere.
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
    """The command after which ``terrafusion`` alone works; None where it does, or none would."""
    scripts = Path(sysconfig.get_path("scripts"))
    if sys.prefix == sys.base_prefix or program("terrafusion") == "terrafusion":
        return None
    if os.name == "nt":
        return _path(scripts / "activate", None)
    return f". {_path(scripts / 'activate', None)}"


def _path(path: Path, folder: Path | None) -> str:
    """The path from `folder` where it lies below it, quoted where a shell needs that."""
    here = folder or Path.cwd()
    short = str(path.relative_to(here) if path.is_relative_to(here) else path)
    if os.name != "nt":
        return shlex.quote(short)
    return f'"{short}"' if " " in short else short.removesuffix(".EXE").removesuffix(".exe")
