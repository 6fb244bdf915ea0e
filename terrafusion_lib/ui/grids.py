"""The comparable grid as a page: subject and sales side by side, adjustments in dollars."""

from html import escape

from terrafusion_lib.plugins.valuation.workbench.comparable_grid import (
    LINES,
    Comparable,
    ComparableGrid,
)
from terrafusion_lib.ui.html import Html, styled
from terrafusion_lib.ui.tables import heading

LEFT = 'style="text-align: left"'
"""Inline style, because notebooks right-align all header cells."""
UNITS = {"is_waterfront": "flag", "year_built": "year", "effective_year_built": "year"}


def comparable_grid(grid: ComparableGrid) -> Html:
    """A comparable grid: one column for the subject, one for each comparable."""
    sales = grid.comparables
    heads = "".join(
        f'<th class="number" scope="col">Sale {sale.rank}<br>{escape(sale.property_id)}</th>'
        for sale in sales
    )
    rows = [
        _row("Sale date", "", [sale.sale_date.isoformat() for sale in sales]),
        _row("Sale price", "", [_dollars(sale.sale_price) for sale in sales]),
        _row("Price per square foot", "", [_rate(sale) for sale in sales]),
        _row("Distance", "", [_miles(sale.distance_feet) for sale in sales]),
        _row("Similarity", "", [f"{sale.similarity:.2f}" for sale in sales]),
        _band("Characteristics", len(sales)),
        *_characteristics(grid),
        _band("Adjustments, US dollars", len(sales)),
        *_adjustments(sales),
        _row("Net adjustment", "", [f"{sale.net_percent:+.1f} %" for sale in sales]),
        _row("Gross adjustment", "", [f"{sale.gross_percent:.1f} %" for sale in sales]),
        _row("Adjusted price", "", [_dollars(sale.adjusted_price) for sale in sales], strong=True),
        _band("Reconciliation", len(sales)),
        _row("Left with the sale", "", [_left(sale) for sale in sales]),
        _row("Indicated value", "", [_dollars(sale.indicated_value) for sale in sales]),
        _row("Weight", "", [f"{100 * sale.weight:.0f} %" for sale in sales]),
    ]
    return styled(
        f'<table class="grid"><caption>Property {escape(grid.property_id)}, '
        f"{escape(heading(grid.market))}, by {escape(grid.how)}</caption>"
        f'<thead><tr><th></th><th class="number" scope="col">Subject</th>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>{_reconciliation(grid)}"
    )


def _reconciliation(grid: ComparableGrid) -> str:
    beyond = grid.value - grid.reconciled
    return (
        '<p class="note">Of what the market does not explain of a price, '
        f"{100 * grid.carry_over:.0f} % is carried over to the subject, because neighboring "
        'sales share it. The rest stays with the sale.</p><p class="note">The indicated values '
        f"reconcile to <strong>{_dollars(grid.reconciled)}</strong>. The model values the "
        f"property at <strong>{_dollars(grid.value)}</strong>: {_signed(beyond)} by what its "
        "trees and the equity calibration add.</p>"
    )


def _characteristics(grid: ComparableGrid) -> list[str]:
    """Rows of traits that the subject or a sale has."""
    every = [grid.traits, *(sale.traits for sale in grid.comparables)]
    return [
        _row(
            heading(name).capitalize(),
            _trait(name, grid.traits[name]),
            [_trait(name, sale.traits[name]) for sale in grid.comparables],
        )
        for name in grid.traits
        if any(traits[name] is not None for traits in every)
    ]


def _adjustments(sales: tuple[Comparable, ...]) -> list[str]:
    """Rows of lines that change a price by a dollar or more."""
    return [
        _row(line.capitalize(), "", [_signed(sale.lines[line]) for sale in sales])
        for line in LINES
        if any(abs(sale.lines[line]) >= 0.5 for sale in sales)
    ]


def _row(name: str, subject: str, cells: list[str], *, strong: bool = False) -> str:
    opened, closed = ("<strong>", "</strong>") if strong else ("", "")
    values = "".join(
        f'<td class="number">{opened}{escape(cell)}{closed}</td>' for cell in (subject, *cells)
    )
    return f'<tr><th scope="row" {LEFT}>{escape(name)}</th>{values}</tr>'


def _band(name: str, sales: int) -> str:
    head = f'<th scope="rowgroup" {LEFT} colspan="{sales + 2}">{escape(name)}</th>'
    return f'<tr class="band">{head}</tr>'


def _dollars(value: float) -> str:
    return f"${value:,.0f}"


def _signed(value: float) -> str:
    return "0" if abs(value) < 0.5 else f"{value:+,.0f}"


def _left(sale: Comparable) -> str:
    return _signed(sale.indicated_value - sale.adjusted_price)


def _miles(feet: float | None) -> str:
    return "" if feet is None else f"{feet / 5_280:.2f} mi"


def _rate(sale: Comparable) -> str:
    area = sale.traits["building_area_sqft"] or sale.traits["land_area_sqft"]
    return f"${sale.sale_price / area:,.2f}" if area else ""


def _trait(name: str, value: float | str | None) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    kind = UNITS.get(name)
    if kind == "flag":
        return "yes" if value else "no"
    return f"{value:.0f}" if kind == "year" else f"{value:,.5g}" if value < 100 else f"{value:,.0f}"
