"""The changelog: a heading for each version, newest first, dated once it is released."""

import re
from datetime import date

import terrafusion_lib
from tests.support.require import ROOT

HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
RELEASED = re.compile(r"(\d+)\.(\d+)\.(\d+) \((\d{4}-\d\d-\d\d)\)")


def test_versions_have_dates_and_the_newest_is_the_packages() -> None:
    first, *others = HEADING.findall((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    headings = others if first == "Unreleased" else [first, *others]
    released = [RELEASED.fullmatch(heading) for heading in headings]
    assert all(released), headings
    versions = [tuple(map(int, found.groups()[:3])) for found in released if found]
    days = [date.fromisoformat(found[4]) for found in released if found]
    assert versions == sorted(set(versions), reverse=True)
    assert days == sorted(days, reverse=True)
    assert ".".join(map(str, versions[0])) == terrafusion_lib.__version__
