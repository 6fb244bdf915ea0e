"""Files that pages send people to exist, and hold what is said to be in them."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.documented import documents
from tests.support.require import ROOT

GUIDES = ("CONTRIBUTING.md", "docs/how-to/develop.md")
PATH = re.compile(r"`(\.?[\w<>.-]*/[\w<>./-]*|\w+\.(?:py|md|toml|yaml))`")
NAME_IN_FILE = re.compile(r"`(\w+)` (?:in|of)\s+`([\w./]+\.(?:py|toml))`")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[\w-]+)?\)")
PLACEHOLDER = re.compile(r"<\w+>")
FOLDERS = (ROOT, ROOT / "terrafusion_lib", ROOT / "county_configs" / "benton_wa")
PLUGINS_OWN = {"tables.py", "migrations/"}
"""Named as parts of any plugin's folder."""


def places(name: str) -> Iterator[Path]:
    """Files and folders that a name with placeholders fits."""
    for folder in (*FOLDERS, *(FOLDERS[1] / "plugins").iterdir()):
        if folder in FOLDERS or name in PLUGINS_OWN:
            yield from folder.glob(PLACEHOLDER.sub("*", name).rstrip("/"))


def pages() -> list[str]:
    return [str(path.relative_to(ROOT)) for path in documents()]


@pytest.mark.parametrize("guide", GUIDES)
def test_named_paths_exist(guide: str) -> None:
    names = set(PATH.findall((ROOT / guide).read_text(encoding="utf-8")))
    assert len(names) > 15
    assert [name for name in sorted(names) if not any(places(name))] == []


@pytest.mark.parametrize("guide", GUIDES)
def test_named_constants_are_in_their_file(guide: str) -> None:
    for name, file in NAME_IN_FILE.findall((ROOT / guide).read_text(encoding="utf-8")):
        assert any(name in path.read_text(encoding="utf-8") for path in places(file)), (name, file)


@pytest.mark.parametrize("page", pages())
def test_links_lead_to_a_file(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    lost = [link for link in LINK.findall(text) if not (ROOT / page).parent.joinpath(link).exists()]
    assert lost == []


def test_a_newcomer_finds_thirty_things() -> None:
    section = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Where is")[2]
    rows = re.findall(r"^\| (.+?)\? \| (.+) \|$", section, re.MULTILINE)
    assert len({question for question, _ in rows}) == len(rows) >= 30
    assert [question for question, answer in rows if not PATH.search(answer)] == []
