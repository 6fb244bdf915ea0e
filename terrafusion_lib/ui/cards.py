"""Cards with one headline figure each, and the header of a run."""

from collections.abc import Mapping
from typing import Any

from terrafusion_lib.core.numbers import figure, number
from terrafusion_lib.ui.html import Html, styled, text
from terrafusion_lib.ui.tables import NAMES


def card(label: str, value: str, *, hint: str = "", verdict: str | None = None) -> str:
    """One figure with its label; a verdict colors the upper edge and is spelled out."""
    kind = f" {verdict.replace(' ', '-')}" if verdict else ""
    below = " · ".join(part for part in (verdict or "", hint) if part)
    return (
        f'<div class="card{kind}"><div class="value">{text(value)}</div>'
        f'<div class="label">{text(label)}</div><div class="hint">{text(below)}</div></div>'
    )


def run_head(run: Mapping[str, Any]) -> Html:
    """County, year, run and date of the source data."""
    return styled(
        f"<h1>{text(run['county_name'])} · assessment year {run['assessment_year']}</h1>"
        f'<p class="note">Run {text(run["run_id"])} by {text(run["username"])}, finished '
        f"{text(run['finished_at'])} · data as of {text(run['source_as_of'])}</p>"
    )


def run_cards(run: Mapping[str, Any]) -> Html:
    """Rows, expectations and values of a run."""
    tables = run["tables"]
    total = {
        name: sum(row[name] or 0 for row in tables) for name in ("read", "quarantined", "loaded")
    }
    checks = run["expectations"]
    cards = [
        card("rows loaded", number(total["loaded"]), hint=f"of {number(total['read'])} read"),
        card("rows quarantined", number(total["quarantined"]), hint="kept with their reasons"),
        card(
            "expectations passed",
            f"{checks.get('passed', 0)} of {checks.get('rules', 0)}",
            hint=f"{checks.get('failed_warnings', 0)} rules with warnings",
        ),
    ]
    return styled(f'<div class="cards">{"".join(cards)}</div>')


def ratio_cards(rows: list[dict[str, Any]], study: str) -> Html:
    """Level and uniformity of one study for all sales, with verdicts."""
    overall = [row for row in rows if row["study"] == study and row["grouping"] == "overall"]
    cards = [
        card(
            NAMES[row["statistic"]],
            figure(row["statistic"], row["estimate"]) if row["estimate"] is not None else "–",
            hint=_interval(row),
            verdict=row["verdict"],
        )
        for row in overall
        if row["statistic"] in ("median_ratio", "cod", "prd", "prb")
    ]
    return styled(f'<div class="cards">{"".join(cards)}</div>')


def _interval(row: Mapping[str, Any]) -> str:
    if row["ci_low"] is None or row["ci_high"] is None:
        return f"n {row['n']:,}"
    low, high = (figure(row["statistic"], row[end]) for end in ("ci_low", "ci_high"))
    return f"{low} to {high}, n {row['n']:,}"
