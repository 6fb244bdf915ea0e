"""Data Docs that open offline: the framework's cleaned pages and our own index."""

import re
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path

from terrafusion_lib.core.files import write_text
from terrafusion_lib.validation.results import RuleResult

OUTSIDE = (
    re.compile(r"<script\b.*?</script>", re.DOTALL | re.IGNORECASE),
    re.compile(r"<style\b.*?</style>", re.DOTALL | re.IGNORECASE),
    re.compile(r"<link\b[^>]*>", re.IGNORECASE),
    re.compile(r"<(?:img|source)\b[^>]*>", re.IGNORECASE),
    re.compile(r"<footer\b.*?</footer>", re.DOTALL | re.IGNORECASE),
    re.compile(r"<iframe\b.*?</iframe>", re.DOTALL | re.IGNORECASE),
)
"""Scripts, styles, images and the newsletter: all load from outside addresses or need them."""
LINK_OUT = re.compile(
    r"<a\b[^>]*href=[\"'](?:https?:)?//[^>]*>(.*?)</a>", re.DOTALL | re.IGNORECASE
)


def write_data_docs(pages: Mapping[str, str], results: Sequence[RuleResult], folder: Path) -> None:
    """Write the pages without outside addresses, and ``index.html`` with every rule."""
    style = (files(__package__) / "data_docs.css").read_text(encoding="utf-8")
    for name, html in pages.items():
        write_text(folder / name, offline(html, style))
    write_text(folder / "index.html", _index(results, style))


def offline(html: str, style: str) -> str:
    """A page with scripts, images and outside links removed and `style` added."""
    for pattern in OUTSIDE:
        html = pattern.sub("", html)
    html = LINK_OUT.sub(r"\1", html)
    html = re.sub(r"href=\"(?:\.\./)+", 'href="../', html)
    return html.replace("</head>", f"<style>{style}</style></head>", 1)


def _index(results: Sequence[RuleResult], style: str) -> str:
    tables = dict.fromkeys(rule.table for rule in results)
    body = "".join(
        _section(table, [rule for rule in results if rule.table == table]) for table in tables
    )
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="UTF-8">'
        f"<title>Validation results</title><style>{style}</style></head>"
        f"<body><main><h1>Validation results</h1>{body}</main></body></html>\n"
    )


def _section(table: str, rules: Sequence[RuleResult]) -> str:
    rows = "".join(_row(rule) for rule in rules)
    return (
        f'<h2>{escape(table)}</h2><p><a href="validations/{table}.html">Results by Great '
        f'Expectations</a> · <a href="expectations/{table}.html">The '
        f"suite</a></p><table><thead><tr><th>Rule</th><th>Why</th><th>Result</th><th>Checked</th><th>Failed</th><th>Examples</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def _row(rule: RuleResult) -> str:
    mark, text = ("met", "passed") if rule.passed else ("broken", "error")
    if not rule.passed and rule.severity == "warning":
        mark, text = "warned", "warning"
    why = f"{rule.because} [{rule.source}]" if rule.source else rule.because
    return (
        f"<tr><td>{escape(rule.rule)}</td><td>{escape(why)}</td>"
        f'<td class="{mark}">{text}</td><td class="number">{rule.checked:,}</td>'
        f'<td class="number">{rule.failed:,}</td>'
        f"<td>{escape(', '.join(rule.examples))}</td></tr>"
    )
