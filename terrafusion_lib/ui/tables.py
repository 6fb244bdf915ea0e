"""Tables for people: numbers aligned and rounded, verdicts marked."""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from terrafusion_lib.ui.html import Html, styled, text

MARKS = {
    "met": "✓ met",
    "not met": "✗ not met",
    "inconclusive": "~ inconclusive",
    "too few": "· too few",
}
STATISTICS = ("median_ratio", "weighted_mean_ratio", "cod", "prd", "prb")
NAMES = {
    "median_ratio": "median ratio",
    "mean_ratio": "mean ratio",
    "weighted_mean_ratio": "weighted mean",
    "cod": "COD",
    "prd": "PRD",
    "prb": "PRB",
    "vei": "VEI",
    "mki": "MKI",
    "price_bunching": "ratios at the price, times expected",
    "sold_unsold_change": "change of sold less unsold, points",
    "later_cod": "COD of later sales / of earlier",
}
SIGNALS = ("price_bunching", "sold_unsold_change", "later_cod")
YEARS = (1800, 2200)


def show(rows: Iterable[Mapping[str, Any]], columns: Sequence[str] = ()) -> Html:
    """A table of dictionaries; columns are those of the first row unless given."""
    listed = list(rows)
    names = list(columns or (listed[0] if listed else ()))
    if not listed:
        return styled('<p class="note">Nothing to show.</p>')
    numeric = {name for name in names if any(_is_number(row.get(name)) for row in listed)}
    head = "".join(_cell("th", text(heading(name)), name in numeric) for name in names)
    body = "".join(
        "<tr>"
        + "".join(_value_cell(name, row.get(name), name in numeric) for name in names)
        + "</tr>"
        for row in listed
    )
    return styled(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")


def facts(values: Mapping[str, Any]) -> Html:
    """Names and values, one to a line; nested values are joined."""
    return show({"": heading(name), "value": _joined(value)} for name, value in values.items())


def ratio_study(rows: Iterable[Mapping[str, Any]], *, grouping: str = "overall") -> Html:
    """A ratio study of one grouping: a line per study and stratum, verdict under each statistic."""
    lines: dict[tuple[str, str], dict[str, Any]] = {}
    for row in sorted(rows, key=_place):
        if row["grouping"] != grouping:
            continue
        line = lines.setdefault(
            (row["study"], row["stratum"]),
            {"study": heading(row["study"]), "stratum": row["stratum"], "n": row["n"]},
        )
        if row["statistic"] in STATISTICS:
            line[NAMES[row["statistic"]]] = row["estimate"]
            if row["verdict"]:
                line[f"{NAMES[row['statistic']]} verdict"] = row["verdict"]
    names = list(dict.fromkeys(name for line in lines.values() for name in line))
    return show(lines.values(), names)


def chasing(rows: Iterable[Mapping[str, Any]]) -> Html:
    """Signals of sales chasing with interval and verdict, the county first."""
    return show(
        {
            "stratum": row["stratum"],
            "signal": heading(row["statistic"]),
            "n": row["n"],
            "figure": row["estimate"],
            "from": row["ci_low"],
            "to": row["ci_high"],
            "verdict": row["verdict"],
        }
        for row in rows
        if row["statistic"] in SIGNALS
    )


def heading(name: str) -> str:
    """A column name as a heading."""
    return NAMES.get(name, name.replace("_", " "))


def number(value: float) -> str:
    """12,345 for whole and large numbers, three decimals for ratios; years stay plain."""
    if isinstance(value, int):
        return f"{value:,}"
    if math.isnan(value):
        return ""
    if abs(value) >= 1000 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 5 else f"{value:.3f}"


def _place(row: Mapping[str, Any]) -> int:
    """Level before uniformity before vertical equity, whatever order rows are stored in."""
    name = row["statistic"]
    return STATISTICS.index(name) if name in STATISTICS else len(STATISTICS)


def _joined(value: object) -> object:
    if isinstance(value, Mapping):
        return ", ".join(f"{heading(key)} {_plain(item)}" for key, item in value.items())
    return value


def _plain(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _value_cell(name: str, value: object, numeric: bool) -> str:
    if isinstance(value, str) and value in MARKS:
        mark = value.replace(" ", "-")
        return f'<td class="verdict {mark}">{MARKS[value]}</td>'
    if "year" in name and isinstance(value, int) and YEARS[0] < value < YEARS[1]:
        return _cell("td", str(value), numeric)
    return _cell("td", "" if value is None else text(_plain(value)), numeric)


def _cell(tag: str, content: str, numeric: bool) -> str:
    return f'<{tag} class="number">{content}</{tag}>' if numeric else f"<{tag}>{content}</{tag}>"
