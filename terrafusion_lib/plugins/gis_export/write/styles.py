"""Symbology of a layer for QGIS (QML) and other software (SLD 1.0)."""

from dataclasses import dataclass, replace
from xml.sax.saxutils import escape, quoteattr

from terrafusion_lib.geo.class_breaks import Classes, class_breaks
from terrafusion_lib.geo.crs import Floats
from terrafusion_lib.plugins.gis_export.select.shapes import (
    POINT,
)

OUTLINE = "#606870"
GRADUATED = 'graduatedMethod="GraduatedColor" symbollevels="0" enableorderby="0" forceraster="0"'
NAMESPACES = 'xmlns="http://www.opengis.net/sld" xmlns:ogc="http://www.opengis.net/ogc"'


@dataclass(frozen=True)
class Style:
    """How a layer is drawn: features colored by classes of a numeric field."""

    field: str
    geometry_type: str
    classes: Classes

    def renamed(self, field: str) -> "Style":
        """The same classes for a field of another name."""
        return replace(self, field=field)

    def qml(self) -> str:
        """QGIS layer style: a graduated renderer."""
        ranges, symbols = [], []
        for index, (low, high, color) in enumerate(self.classes):
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
        rules = [self._sld_rule(low, high, color) for low, high, color in self.classes]
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
        last = high == self.classes.high
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
    """The style of the finite values' classes (see `geo.class_breaks`); None without any."""
    classes = class_breaks(values, center=center)
    return Style(field, geometry_type, classes) if classes else None


def _label(low: float, high: float) -> str:
    return f"{low:,.10g} – {high:,.10g}"


def _rgba(color: str) -> str:
    red, green, blue = (int(color[place : place + 2], 16) for place in (1, 3, 5))
    return f"{red},{green},{blue},255"
