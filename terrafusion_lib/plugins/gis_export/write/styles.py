"""Symbology of a layer for QGIS (QML) and other software (SLD 1.0)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from terrafusion_lib.geo.crs import Floats
from terrafusion_lib.plugins.gis_export.select.shapes import (
    POINT,
)

SEQUENTIAL = ("#edf8fb", "#b2e2e2", "#66c2a4", "#2ca25f", "#006d2c")
DIVERGING = ("#ca0020", "#f4a582", "#f7f7f7", "#92c5de", "#0571b0")
OUTLINE = "#606870"
GRADUATED = 'graduatedMethod="GraduatedColor" symbollevels="0" enableorderby="0" forceraster="0"'
NAMESPACES = 'xmlns="http://www.opengis.net/sld" xmlns:ogc="http://www.opengis.net/ogc"'


@dataclass(frozen=True)
class Style:
    """Classes of a number field, each with a color; `breaks` are the inner limits."""

    field: str
    geometry_type: str
    breaks: tuple[float, ...]
    colors: tuple[str, ...]
    low: float
    high: float

    def renamed(self, field: str) -> "Style":
        """The same classes on a field of another name."""
        return Style(field, self.geometry_type, self.breaks, self.colors, self.low, self.high)

    def classes(self) -> Iterator[tuple[float, float, str]]:
        """Lower limit, upper limit and color of each class."""
        edges = (self.low, *self.breaks, self.high)
        yield from zip(edges[:-1], edges[1:], self.colors, strict=True)

    def qml(self) -> str:
        """QGIS layer style: a graduated renderer."""
        ranges, symbols = [], []
        for index, (low, high, color) in enumerate(self.classes()):
            ranges.append(
                f'   <range lower="{low!r}" upper="{high!r}" symbol="{index}" '
                f'label={quoteattr(_label(low, high))} render="true"/>'
            )
            symbols.append(self._qml_symbol(index, color))
        return "\n".join(
            [
                "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>",
                '<qgis version="3.28" styleCategories="Symbology">',
                f' <renderer-v2 type="graduatedSymbol" attr={quoteattr(self.field)} {GRADUATED}>',
                "  <ranges>",
                *ranges,
                "  </ranges>",
                "  <symbols>",
                *symbols,
                "  </symbols>",
                " </renderer-v2>",
                "</qgis>",
                "",
            ]
        )

    def sld(self, layer: str) -> str:
        """Styled Layer Descriptor 1.0 with one rule per class."""
        rules = [self._sld_rule(low, high, color) for low, high, color in self.classes()]
        return "\n".join(
            [
                '<?xml version="1.0" encoding="UTF-8"?>',
                f'<StyledLayerDescriptor version="1.0.0" {NAMESPACES}>',
                f" <NamedLayer><Name>{escape(layer)}</Name><UserStyle><FeatureTypeStyle>",
                *rules,
                " </FeatureTypeStyle></UserStyle></NamedLayer>",
                "</StyledLayerDescriptor>",
                "",
            ]
        )

    def _qml_symbol(self, index: int, color: str) -> str:
        point = self.geometry_type == POINT
        options = {
            "color": _rgba(color),
            "outline_color": _rgba(OUTLINE),
            "outline_width": "0.1",
            "outline_width_unit": "MM",
        }
        options |= {"name": "circle", "size": "2", "size_unit": "MM"} if point else {}
        listed = "".join(
            f'<Option name="{name}" type="QString" value="{value}"/>'
            for name, value in options.items()
        )
        kind, layer = ("marker", "SimpleMarker") if point else ("fill", "SimpleFill")
        return (
            f'   <symbol type="{kind}" name="{index}" alpha="1" clip_to_extent="1">'
            f'<layer class="{layer}" enabled="1" locked="0" pass="0">'
            f'<Option type="Map">{listed}</Option></layer></symbol>'
        )

    def _sld_rule(self, low: float, high: float, color: str) -> str:
        name = f"<ogc:PropertyName>{escape(self.field)}</ogc:PropertyName>"
        last = high == self.high
        above = "PropertyIsLessThanOrEqualTo" if last else "PropertyIsLessThan"
        fill = f'<Fill><CssParameter name="fill">{color}</CssParameter></Fill>'
        stroke = (
            f'<Stroke><CssParameter name="stroke">{OUTLINE}</CssParameter>'
            '<CssParameter name="stroke-width">0.3</CssParameter></Stroke>'
        )
        symbol = (
            f"<PointSymbolizer><Graphic><Mark><WellKnownName>circle</WellKnownName>{fill}{stroke}"
            "</Mark><Size>6</Size></Graphic></PointSymbolizer>"
            if self.geometry_type == POINT
            else f"<PolygonSymbolizer>{fill}{stroke}</PolygonSymbolizer>"
        )
        return (
            f"  <Rule><Name>{escape(_label(low, high))}</Name><ogc:Filter><ogc:And>"
            f"<ogc:PropertyIsGreaterThanOrEqualTo>{name}<ogc:Literal>{low!r}</ogc:Literal>"
            f"</ogc:PropertyIsGreaterThanOrEqualTo><ogc:{above}>{name}"
            f"<ogc:Literal>{high!r}</ogc:Literal></ogc:{above}></ogc:And></ogc:Filter>{symbol}"
            "</Rule>"
        )


def style_of(
    values: Floats, field: str, geometry_type: str, *, center: float | None = None
) -> Style | None:
    """Classes of the finite values; None without any.

    Without a `center` they are quantiles, at two digits. With one they lie alike on both sides of
    it, reds below and blues above: the middle class holds about a fifth of the values.
    """
    finite = values[np.isfinite(values)]
    if not finite.size:
        return None
    if center is not None:
        return _diverging(finite, field, geometry_type, center)
    low, high = float(finite.min()), float(finite.max())
    breaks = _steps(finite, np.linspace(0, 1, len(SEQUENTIAL) + 1)[1:-1], low, high)
    picked = np.linspace(0, len(SEQUENTIAL) - 1, len(breaks) + 1).round().astype(int)
    return Style(field, geometry_type, breaks, tuple(SEQUENTIAL[i] for i in picked), low, high)


def _diverging(finite: Floats, field: str, geometry_type: str, center: float) -> Style:
    """Up to five classes, symmetric about the center; the outer ones reach the farthest value."""
    away = np.abs(finite - center)
    farthest = float(away.max())
    low = min(center - farthest, float(finite.min()))
    high = max(center + farthest, float(finite.max()))
    if farthest == 0:
        return Style(field, geometry_type, (), (DIVERGING[2],), center, center)
    steps = _steps(away, (0.2, 0.6), 0.0, farthest)
    colors = {0: (0, 4), 1: (0, 2, 4), 2: (0, 1, 2, 3, 4)}[len(steps)]
    sides = [center - step for step in reversed(steps)], [center + step for step in steps]
    breaks = (*sides[0], *sides[1]) if steps else (center,)
    return Style(field, geometry_type, breaks, tuple(DIVERGING[i] for i in colors), low, high)


def _steps(
    values: Floats, shares: Sequence[float] | Floats, low: float, high: float
) -> tuple[float, ...]:
    """Quantiles at two digits, each once, between `low` and `high`."""
    rounded = np.unique([float(f"{value:.2g}") for value in np.quantile(values, shares)])
    return tuple(float(value) for value in rounded if low < value < high)


def _label(low: float, high: float) -> str:
    return f"{low:,.10g} – {high:,.10g}"


def _rgba(color: str) -> str:
    red, green, blue = (int(color[place : place + 2], 16) for place in (1, 3, 5))
    return f"{red},{green},{blue},255"
