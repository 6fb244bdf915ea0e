"""The commands and options that the documentation tells people to type."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from terrafusion_lib.cli import app
from tests.support.require import ROOT

HISTORY = "CHANGELOG.md"
"""Tells what was; its commands may be gone."""
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
STARTS = re.compile(
    r"(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?(?:(?:terrafusion|make|pip|python3?|jupyter|conda) |\. )|"
    r"benchmarks/\w+\.py"
)
SETTING = re.compile(r"(TERRAFUSION_\w+_URL)=(\w[\w+]*://\S+)")
OPTION = re.compile(r"--[a-z][a-z-]+(?:\.[a-z-]+)*")


def documents() -> list[Path]:
    """README and all that it leads to."""
    top = [path for path in ROOT.glob("*.md") if path.name != HISTORY]
    return sorted([*top, *(ROOT / "docs").rglob("*.md")])


def documented_commands() -> dict[str, str]:
    """Every command as documented, its words parted by single spaces, and a page that has it."""
    found: dict[str, str] = {}
    for path in documents():
        for command in _commands(path.read_text(encoding="utf-8")):
            found.setdefault(_plain(command), str(path.relative_to(ROOT)))
    return found


def documented_settings() -> list[tuple[str, str]]:
    """Every database URL that a page shows, with the setting that takes it."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in documents())
    return sorted({(name, url.rstrip("`|,.")) for name, url in SETTING.findall(text)})


def options_in_prose() -> dict[str, set[str]]:
    """Options that a page names apart from a command, by page."""
    found: dict[str, set[str]] = {}
    for path in documents():
        text = path.read_text(encoding="utf-8")
        spans = [item for item in _spans(text) if item.startswith("--")]
        spans += [note for _, body in FENCE.findall(text) for note in re.findall("#.*", body)]
        if options := {option for item in spans for option in OPTION.findall(item)}:
            found[str(path.relative_to(ROOT))] = options
    return found


def lacks_arguments(command: str) -> bool:
    """Whether a terrafusion command is only named, without what it needs to run.

    Raises
    ------
    AssertionError
        There is no such command.
    """
    found: Any = typer.main.get_command(app)
    words = command.split()[1:]
    while words and hasattr(found, "commands"):
        if words[0].startswith("-"):
            return False
        name = words.pop(0)
        assert name in found.commands, f"there is no command {command}"
        found = found.commands[name]
    needed = [item for item in found.params if item.param_type_name == "argument" and item.required]
    return hasattr(found, "commands") or len(needed) > _positional(words)


def options_of(command: str) -> set[str]:
    """Long options of a command such as ``export gis``."""
    found: Any = typer.main.get_command(app)
    for name in command.split():
        found = found.commands[name]
    return {option for item in found.params for option in item.opts}


def _commands(text: str) -> Iterator[str]:
    for language, body in FENCE.findall(text):
        lines = [line for line in body.splitlines() if line.strip()]
        if language in ("", "sh", "bash") and any(STARTS.match(line) for line in lines):
            for line in lines:
                assert STARTS.match(line) or SETTING.search(line), f"no command: {line}"
            yield from (re.split(r"\s{2,}|\s#", line)[0] for line in lines if STARTS.match(line))
    yield from (span for span in _spans(text) if STARTS.match(span))


def _spans(text: str) -> list[str]:
    """Inline code, broken lines joined."""
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", FENCE.sub("", text))]


def _plain(command: str) -> str:
    command = " ".join(command.split())
    return f"python {command}" if command.startswith("benchmarks/") else command


def _positional(words: list[str]) -> int:
    """Number of leading arguments; documented commands write options last."""
    return next((at for at, word in enumerate(words) if word.startswith("-")), len(words))
