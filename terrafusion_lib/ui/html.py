"""HTML for notebooks and dashboards, and their common style sheet."""

from html import escape
from pathlib import Path

STYLE = Path(__file__).with_name("style.css")
VERDICT_STYLES = {"met": "color: #005b8f", "not met": "color: #b84e00; font-weight: 600"}
"""Inline styles, because notebooks show verdicts without the dashboards' style sheet."""


class Html(str):
    """A piece of HTML that displays itself as the last value of a cell."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return str(self)

    def __add__(self, other: str) -> "Html":
        return Html(str(self) + str(other))


def styled(body: str) -> Html:
    """`body` with the style sheet, so that it looks the same everywhere."""
    return Html(f'<div class="terrafusion">{body}</div>')


def verdict_attributes(verdict: str) -> str:
    """Class and style of an element with a verdict."""
    style = VERDICT_STYLES.get(verdict)
    said = f' style="{style}"' if style else ""
    return f'class="verdict {verdict.replace(" ", "-")}"{said}'


def style_sheet() -> Html:
    """The style sheet as a style element; show it once at the top."""
    return Html(f"<style>{STYLE.read_text(encoding='utf-8')}</style>")


def text(value: object) -> str:
    """Any value as escaped text."""
    return escape(str(value))
