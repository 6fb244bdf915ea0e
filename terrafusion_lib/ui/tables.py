"""Display tables: numbers aligned and rounded, verdicts marked."""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from statistics import median
from typing import Any

from terrafusion_lib.core.numbers import decimals, figure, is_number
from terrafusion_lib.ui.html import Html, styled, text, verdict_attributes

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
    "price_bunching": "ratios near 1, times expected",
    "sold_unsold_change": "change of sold less unsold, percentage points",
    "later_cod": "COD of later sales / earlier sales",
}
SIGNALS = ("price_bunching", "sold_unsold_change", "later_cod")
FURTHEST = ("sale_id", "property_id", "sale_date", "adjusted_price", "studied_value", "ratio")
MIXED = "COD without a verdict: no limit for mixed property types."
NO_LIMIT = "COD without a verdict: no limit for this property type."


class Figure(str):
    """An already formatted number; tables align it as a number."""

    __slots__ = ()


def show(rows: Iterable[Mapping[str, Any]], columns: Sequence[str] = ()) -> Html:
    """A table of dictionaries; columns are those of the first row unless given.

    Numbers of a column share their decimals.
    """
    listed = list(rows)
    if not listed:
        return styled('<p class="note">Nothing to show.</p>')
    names = list(columns or listed[0])
    held = {name: [row.get(name) for row in listed] for name in names}
    numeric = {name for name in names if any(_is_numeric(value) for value in held[name])}
    places = {name: decimals(name, held[name]) for name in names}
    head = "".join(_cell("th", text(heading(name)), name in numeric) for name in names)
    body = "".join(
        "<tr>"
        + "".join(_value_cell(name, row.get(name), name in numeric, places[name]) for name in names)
        + "</tr>"
        for row in listed
    )
    return styled(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")


def facts(values: Mapping[str, Any]) -> Html:
    """Names and values, one per line, each in its own format; nested values are joined."""
    return show({"": heading(name), "value": _fact(name, value)} for name, value in values.items())


def dollars(values: Mapping[str, float]) -> Html:
    """Names and amounts, one per line, in whole US dollars."""
    return show(
        {"": heading(name), "US dollars": None if math.isnan(value) else round(value)}
        for name, value in values.items()
    )


def ratio_study(rows: Iterable[Mapping[str, Any]], *, grouping: str = "overall") -> Html:
    """A ratio study of one grouping: one line per study and stratum, with a verdict after each
    statistic. Below the table are the citations of the limits, and why a COD has no verdict.
    """
    chosen = [row for row in rows if row["grouping"] == grouping and row["statistic"] in STATISTICS]
    lines: dict[tuple[str, str], dict[str, Any]] = {}
    for row in chosen:
        line = lines.setdefault(
            (row["study"], row["stratum"]),
            {"study": heading(row["study"]), "stratum": row["stratum"], "n": row["n"]},
        )
        line[NAMES[row["statistic"]]] = row["estimate"]
        line[_verdict_of(row["statistic"])] = row["verdict"]
    return show(lines.values(), _study_columns(chosen)) + _limits(chosen, grouping)


def _study_columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Level, then uniformity, then vertical equity, regardless of the stored order."""
    statistics = {row["statistic"] for row in rows}
    judged = {row["statistic"] for row in rows if row["verdict"]}
    columns = ["study", "stratum", "n"]
    for name in STATISTICS:
        columns += [NAMES[name]] * (name in statistics) + [_verdict_of(name)] * (name in judged)
    return columns


def _verdict_of(statistic: str) -> str:
    return f"{NAMES[statistic]} verdict"


def _limits(rows: Sequence[Mapping[str, Any]], grouping: str) -> str:
    """Notes below a study: citations of its limits, and why a COD has no verdict."""
    cited = _cited(row["standard"] for row in rows if row["standard"])
    if not cited:
        return ""
    notes = [f"Limits: {cited}."]
    if any(row["statistic"] == "cod" and not row["standard"] for row in rows):
        notes.append(NO_LIMIT if grouping == "property_type" else MIXED)
    return styled("".join(f'<p class="note">{text(note)}</p>' for note in notes))


def _cited(standards: Iterable[str]) -> str:
    """Each citation once; lines of the same table are grouped."""
    lines: dict[str, list[str]] = {}
    for standard in sorted(set(standards)):
        place, _, line = standard.partition(": ")
        lines.setdefault(place, []).extend([line] if line else [])
    return "; ".join(
        f"{place}: {' / '.join(citations)}" if citations else place
        for place, citations in lines.items()
    )


def furthest_from_level(sales: Sequence[Mapping[str, Any]], *, rows: int = 10) -> Html:
    """The sales whose ratios are furthest from the median ratio, in either direction.

    Parameters
    ----------
    sales : sequence of mapping
        Rows of ``core.schema.SALE_RATIOS`` of one study.
    """
    level = median(row["ratio"] for row in sales) if sales else 0.0
    ordered = sorted(sales, key=lambda row: (-abs(row["ratio"] - level), row["sale_id"]))
    return show(
        {name: row[name] for name in FURTHEST} | {"ratio less median ratio": row["ratio"] - level}
        for row in ordered[:rows]
    )


def chasing(rows: Iterable[Mapping[str, Any]]) -> Html:
    """Indicators of sales chasing with interval and verdict, county first."""
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


def _fact(name: str, value: object) -> object:
    if isinstance(value, Mapping):
        return ", ".join(f"{heading(key)} {_plain(key, item)}" for key, item in value.items())
    return Figure(figure(name, value)) if is_number(value) else value


def _plain(name: str, value: Any, places: int | None = None) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if is_number(value):
        return figure(name, value, places)
    return value.isoformat() if isinstance(value, date) else str(value)


def _is_numeric(value: object) -> bool:
    return is_number(value) or isinstance(value, Figure)


def _value_cell(name: str, value: object, numeric: bool, places: int) -> str:
    if isinstance(value, str) and value in MARKS:
        return f"<td {verdict_attributes(value)}>{MARKS[value]}</td>"
    return _cell("td", "" if value is None else text(_plain(name, value, places)), numeric)


def _cell(tag: str, content: str, numeric: bool) -> str:
    return f'<{tag} class="number">{content}</{tag}>' if numeric else f"<{tag}>{content}</{tag}>"
