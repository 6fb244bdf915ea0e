"""Plans what an export will write before writing anything."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa

from terrafusion_lib.core.declared import result_tables
from terrafusion_lib.plugins.api import PluginContext, WriteFile
from terrafusion_lib.plugins.gis_export.errors import (
    AREA_EMPTY,
    CRS_REFUSED,
    NO_RESULTS,
    TOO_MANY_RECORDS,
    YEAR_NOT_LOADED,
    ExportError,
)
from terrafusion_lib.plugins.gis_export.format import (
    ExportFormat,
    Styles,
    format_name,
    load_format,
)
from terrafusion_lib.plugins.gis_export.params import Area, GisExportParams
from terrafusion_lib.plugins.gis_export.select.area_of_interest import COLUMNS, Selection, select
from terrafusion_lib.plugins.gis_export.select.attributes import attributes_of
from terrafusion_lib.plugins.gis_export.select.county_tables import (
    ROLL,
    SHAPES,
    CountyTables,
    numbers,
)
from terrafusion_lib.plugins.gis_export.select.field_names import file_names
from terrafusion_lib.plugins.gis_export.select.layers import COMPUTED, Attribute, Layer, chosen
from terrafusion_lib.plugins.gis_export.select.records import Records
from terrafusion_lib.plugins.gis_export.select.shapes import Shapes, check, horizontal, system
from terrafusion_lib.plugins.gis_export.select.simplify import simplify
from terrafusion_lib.plugins.gis_export.tables import GIS_EXPORT_LAYERS
from terrafusion_lib.plugins.gis_export.write.export_layer import ExportField, ExportLayer
from terrafusion_lib.plugins.gis_export.write.styles import Style, style_of


@dataclass(frozen=True)
class ExportPlan:
    """The layers of an export with their counts, and the resulting files."""

    context: PluginContext
    params: GisExportParams
    format_name: str
    format: ExportFormat
    layers: tuple[ExportLayer, ...]
    sources: tuple[str, ...]

    @property
    def records(self) -> int:
        return sum(layer.records for layer in self.layers)

    @property
    def estimated_bytes(self) -> int:
        """Estimated size of the files, within about a factor of two."""
        return int(sum(layer.source_bytes() for layer in self.layers) * self.format.size_factor)

    def file_of(self, layer: ExportLayer) -> str:
        """Name of the layer's file."""
        return f"{self._stem(layer)}{self.format.suffix}"

    def files(self) -> dict[str, WriteFile]:
        """Writers of all files by name: data first, then styles."""
        writers: dict[str, WriteFile] = {}
        if self.format.several_layers:
            writers[self.file_of(self.layers[0])] = partial(self.format.write, self.layers)
        else:
            writers = {
                self.file_of(item): partial(self.format.write, (item,)) for item in self.layers
            }
        if self.format.styles is Styles.BESIDE:
            for layer in self.layers:
                if layer.style:
                    stem = f"{layer.name}" if self.format.several_layers else self._stem(layer)
                    writers[f"{stem}.qml"] = partial(_write_text, layer.style.qml())
                    writers[f"{stem}.sld"] = partial(_write_text, layer.style.sld(layer.name))
        return writers

    def table(self) -> pa.Table:
        """One row per layer (``tables.GIS_EXPORT_LAYERS``)."""
        rows = [
            {
                "run_id": self.context.run_id,
                "county_id": self.context.county_id,
                "layer": layer.name,
                "export_format": self.format_name,
                "file_name": self.file_of(layer),
                "crs": layer.crs,
                "geometry_type": layer.shapes.kind,
                "records": layer.records,
                "attributes": len(layer.fields),
                "left_out": sum(layer.left_out.values()),
            }
            for layer in self.layers
        ]
        return pa.Table.from_pylist(rows, schema=GIS_EXPORT_LAYERS.arrow_schema())

    def _stem(self, layer: ExportLayer) -> str:
        stem = f"{self.context.county_id}_{self.context.assessment_year}"
        return stem if self.format.several_layers else f"{stem}_{layer.name}"


def make_plan(context: PluginContext, params: GisExportParams) -> ExportPlan:
    """Check everything possible, select the records and count them.

    Raises
    ------
    ExportError
        The parameters, the user's permissions, the area or the data do not allow the export;
        `reason_code` says which.
    """
    name = format_name(params.export_format)
    format_ = load_format(name)
    layers = chosen(params.layers)
    attributes = attributes_of(layers, params, context)
    crs = _target(params, format_, context)
    tables = CountyTables(context, _columns(layers, attributes, params), params.geometry)
    _check_year(tables)
    build = _Builder(tables, select(tables, params), params, crs, format_)
    made = tuple(build.layer(layer, attributes[layer.name]) for layer in layers)
    sources = tables.column(ROLL, "data_source").unique().drop_null().sort()
    plan = ExportPlan(context, params, name, format_, made, tuple(sources.to_pylist()))
    _check_count(plan)
    return plan


def _target(params: GisExportParams, format_: ExportFormat, context: PluginContext) -> str:
    """The coordinate system of the files.

    Raises
    ------
    ExportError
        It is unknown, shapes cannot be written in it, or the format requires another.
    """
    requested = params.crs or format_.crs or context.crs
    wanted = horizontal(requested)
    if format_.crs and wanted != system(format_.crs):
        raise ExportError(
            f"{format_.title} must be in {format_.crs}, not in {requested}",
            reason_code=CRS_REFUSED,
            county=context.county_id,
            hint="leave crs out, or choose geopackage",
        )
    authority = wanted.to_authority()
    return ":".join(authority) if authority else str(wanted.to_wkt())


def _columns(
    layers: Sequence[Layer], attributes: dict[str, list[Attribute]], params: GisExportParams
) -> dict[str, set[str]]:
    """Columns that the export reads, by table."""
    wanted: dict[str, set[str]] = {
        ROLL: {"property_id", "data_source", "assessment_year"},
        SHAPES: {"geometry_id", "property_id"},
    }
    if params.area in COLUMNS:
        wanted[ROLL].add(COLUMNS[params.area])
    if params.area in (Area.BBOX, Area.POLYGON):
        wanted[ROLL] |= {"longitude", "latitude"}
        wanted[SHAPES].add("geometry")
    for layer in layers:
        for table, names in layer.columns(attributes[layer.name]).items():
            wanted.setdefault(table, set()).update(names)
    return wanted


@dataclass(frozen=True)
class _Builder:
    """Builds export layers for one area and one set of parameters."""

    tables: CountyTables
    selection: Selection
    params: GisExportParams
    crs: str
    format: ExportFormat

    def layer(self, layer: Layer, attributes: Sequence[Attribute]) -> ExportLayer:
        records = layer.records(self.tables, self.selection)
        fields = self._fields(layer, attributes, records)
        by_name = {item.attribute: item for item in fields}
        keys = by_name[records.key[0]].part(0, len(records.shapes))
        shapes = check(records.shapes, keys, layer=layer.name)
        return ExportLayer(
            name=layer.name,
            meaning=layer.meaning,
            key=tuple(by_name[name].name for name in records.key),
            fields=tuple(fields),
            shapes=simplify(shapes, self.params.simplify_feet, self.tables.context.crs),
            crs=self.crs,
            left_out={reason: count for reason, count in records.left_out.items() if count},
            repaired=records.repaired,
            unlinked=tuple(records.unlinked.to_pylist()),
            zooms=(self.params.min_zoom, self.params.max_zoom),
            style=_style(layer, by_name.get(layer.color_by or ""), shapes),
            progress=self.tables.context.progress,
            threads=self.tables.context.threads,
            grid=self.format.grid(self.crs) if self.format.grid else None,
        )

    def _fields(
        self, layer: Layer, attributes: Sequence[Attribute], found: Records
    ) -> list[ExportField]:
        """The available attributes, as fields.

        Raises
        ------
        ExportError
            An attribute requested by name comes from results that the county does not have.
        """
        have = [item for item in attributes if item.table == COMPUTED or item.table in found.rows]
        lacking = [
            item.name
            for item in attributes
            if item.table in result_tables()
            and item.table not in found.rows
            and item.name in self.params.attributes
        ]
        county = self.tables.context.county_id
        if lacking:
            raise ExportError(
                "The requested attributes come from a valuation, but none is stored",
                reason_code=NO_RESULTS,
                county=county,
                table=layer.name,
                examples=lacking,
                hint=f"terrafusion run {county}",
            )
        given = [item.name for item in have]
        names = file_names(given, self.params.rename, layer=layer.name, rule=self.format.names)
        rows = {table: pa.array(at, mask=at < 0) for table, at in found.rows.items()}
        return [
            ExportField(
                name=names[item.name],
                attribute=item.name,
                kind=item.column.kind,
                meaning=item.column.meaning,
                values=found.computed[item.name]
                if item.table == COMPUTED
                else self.tables.column(item.table, item.name),
                rows=rows.get(item.table),
            )
            for item in have
        ]


def _style(layer: Layer, colored: ExportField | None, shapes: Shapes) -> Style | None:
    if colored is None:
        return None
    values = numbers(colored.part(0, len(shapes)))
    return style_of(values, colored.name, shapes.kind, center=layer.center)


def _check_year(tables: CountyTables) -> None:
    """Reject a year other than the loaded roll's, because the data would have the wrong year.

    Raises
    ------
    ExportError
        Another year is loaded; the error names it.
    """
    year = tables.context.assessment_year
    years = sorted(tables.column(ROLL, "assessment_year").unique().drop_null().to_pylist())
    if years and year not in years:
        listed = ", ".join(str(item) for item in years)
        county = tables.context.county_id
        raise ExportError(
            f"The roll of {year} is not loaded; loaded: {listed}",
            reason_code=YEAR_NOT_LOADED,
            county=county,
            hint=f"--year {years[-1]}, or load it: terrafusion run {county} --year {year}",
        )


def _check_count(plan: ExportPlan) -> None:
    """Reject empty exports and exports over the limit.

    Raises
    ------
    ExportError
        A layer has no records, or all layers together have too many.
    """
    empty = [layer for layer in plan.layers if not layer.records]
    if empty:
        reasons = [f"{count:,} {why}" for layer in empty for why, count in layer.left_out.items()]
        raise ExportError(
            f"The area of interest has no records of {', '.join(item.name for item in empty)}",
            reason_code=AREA_EMPTY,
            county=plan.context.county_id,
            examples=reasons,
        )
    if plan.records > plan.params.max_records:
        raise ExportError(
            f"The export would have {plan.records:,} records; the maximum is "
            f"{plan.params.max_records:,}",
            reason_code=TOO_MANY_RECORDS,
            county=plan.context.county_id,
            hint="export a smaller area or fewer layers, or raise plugins.gis_export.max_records",
        )


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")
