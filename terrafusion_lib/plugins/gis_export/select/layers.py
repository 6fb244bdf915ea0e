"""The exportable layers: their attributes and the source of each."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from terrafusion_lib.core.config import did_you_mean
from terrafusion_lib.core.schema import PERSONAL
from terrafusion_lib.core.tables import Column, Kind
from terrafusion_lib.plugins.gis_export.errors import UNKNOWN_LAYER, ExportError
from terrafusion_lib.plugins.gis_export.select import records as found
from terrafusion_lib.plugins.gis_export.select.area_of_interest import Selection
from terrafusion_lib.plugins.gis_export.select.county_tables import (
    ROLL,
    SALES,
    SHAPES,
    CountyTables,
    schema_column,
)
from terrafusion_lib.plugins.gis_export.select.records import Records

COMPUTED = ""
"""Table of attributes that are computed for the layer."""


@dataclass(frozen=True)
class Attribute:
    """One attribute of a layer: its column's name, kind and meaning, and the table it is from.

    An attribute of an `optional` table is omitted while that table has no rows.
    """

    column: Column
    table: str
    optional: bool = False

    @property
    def name(self) -> str:
        return self.column.name

    @property
    def personal(self) -> bool:
        return self.name in PERSONAL


@dataclass(frozen=True)
class Layer:
    """A layer: its title, its attributes, and how to select its records."""

    name: str
    meaning: str
    attributes: tuple[Attribute, ...]
    records: Callable[[CountyTables, Selection], Records]
    key: tuple[str, ...]
    """Attributes that are always written, because they make a record unique."""
    polygons: bool = True
    color_by: str | None = None
    center: float | None = None
    """Center of diverging colors of `color_by`, if any: no change, or a ratio of one."""
    reads: dict[str, str] = field(default_factory=dict)
    """Additional columns needed to select the records, by table."""

    def columns(self, attributes: Iterable[Attribute]) -> dict[str, set[str]]:
        """Columns to read for these attributes and for selecting the records, by table."""
        wanted = {table: set(names.split()) for table, names in self.reads.items()}
        for item in attributes:
            if item.table != COMPUTED:
                wanted.setdefault(item.table, set()).add(item.name)
        if self.polygons:
            wanted.setdefault(SHAPES, set()).add("geometry")
        return wanted


def _attributes(text: str) -> tuple[Attribute, ...]:
    """Read lines ``table: column …``, ``table?: column …`` and ``= name kind meaning``."""
    attributes = []
    for line in text.strip().splitlines():
        if line.startswith("="):
            name, kind, meaning = line[1:].split(None, 2)
            attributes.append(Attribute(Column(name, Kind(kind), meaning), COMPUTED))
            continue
        table, names = line.split(":")
        plain = table.removesuffix("?")
        attributes += [
            Attribute(schema_column(plain, name), plain, optional=plain != table)
            for name in names.split()
        ]
    return tuple(attributes)


_LINK = {ROLL: "property_id latitude longitude"}
_HOOD = {ROLL: "property_id neighborhood_code current_market_value assessed_value"}

_LAYERS = (
    Layer(
        "parcels",
        "Parcels with characteristics, the assessor's values and the model's",
        _attributes(
            f"""
{SHAPES}?: geometry_id
{ROLL}: property_id parcel_number situs_address situs_city situs_zip property_type property_class
{ROLL}: use_code neighborhood_code subdivision_code tax_area zoning inspection_cycle
{ROLL}: land_area_sqft building_area_sqft basement_area_sqft garage_area_sqft year_built
{ROLL}: effective_year_built stories bedrooms bathrooms quality condition view_rating
{ROLL}: is_waterfront land_value improvement_value current_market_value assessed_value
{ROLL}: taxable_value new_construction_value current_use_value assessment_year tax_year
{ROLL}: last_sale_date last_sale_price is_exempt legal_description
{ROLL}: owner_name owner_is_confidential exemption_type senior_frozen_value extended_attributes
valuations?: estimated_value low_value high_value confidence_score valuation_method review_reasons
"""
        ),
        found.parcels,
        key=("geometry_id", "property_id"),
        color_by="current_market_value",
        reads=_LINK | {"valuations": "property_id"},
    ),
    Layer(
        "value_change",
        "Market value change from the prior year, and the model's value relative to the assessor's",
        _attributes(
            f"""
{SHAPES}?: geometry_id
{ROLL}: property_id parcel_number situs_address property_type neighborhood_code assessment_year
{ROLL}: prior_market_value current_market_value new_construction_value
valuations?: estimated_value
= value_change money Market value less the prior year's, US dollars
= value_change_pct number Value change as a percentage of the prior year's market value
= model_change_pct number Model's value less the assessor's, as a percentage of the assessor's
"""
        ),
        found.value_change,
        key=("geometry_id", "property_id"),
        color_by="value_change_pct",
        center=0.0,
        reads={
            ROLL: "property_id latitude longitude prior_market_value current_market_value",
            "valuations": "property_id estimated_value",
        },
    ),
    Layer(
        "sales",
        "Sales, at the parcel sold",
        _attributes(
            f"""
{SALES}: sale_id property_id parcel_number sale_date sale_price adjusted_sale_price recorded_date
{SALES}: deed_type excise_number dor_ratio_code dor_valid county_ratio_code county_valid
{SALES}: parcel_count is_primary_parcel is_land_only parcel_market_value property_type
{SALES}: property_class neighborhood_code land_area_sqft building_area_sqft year_built
{ROLL}: situs_address
"""
        ),
        found.sales,
        key=("sale_id", "property_id"),
        polygons=False,
        color_by="sale_price",
        reads=_LINK | {SALES: "property_id"},
    ),
    Layer(
        "comparables",
        "Comparable sales behind each value, at the comparable's location",
        _attributes(
            """
valuation_comparables: property_id rank sale_id comparable_property_id sale_date sale_price
valuation_comparables: distance_feet similarity net_adjustment_pct gross_adjustment_pct
valuation_comparables: adjusted_price indicated_value weight
"""
        ),
        found.comparables,
        key=("property_id", "rank"),
        polygons=False,
        color_by="similarity",
        reads=_LINK | {"valuation_comparables": "property_id comparable_property_id"},
    ),
    Layer(
        "ratio_deviations",
        "Sales of the ratio study with their ratio and its deviation from the median",
        _attributes(
            """
sale_ratios: study sale_id property_id property_type neighborhood_code sale_date sale_price
sale_ratios: adjusted_price studied_value ratio in_interval
= residual_pct number Deviation of the ratio from the study's median ratio, percent of the median
"""
        ),
        found.ratio_deviations,
        key=("study", "sale_id", "property_id"),
        polygons=False,
        color_by="residual_pct",
        center=0.0,
        reads=_LINK | {"sale_ratios": "study property_id ratio"},
    ),
    Layer(
        "neighborhoods",
        "Neighborhoods, dissolved from their parcels",
        _attributes(
            """
= neighborhood_code text Appraisal neighborhood
= property_count integer Properties on the roll
= market_value money Sum of market values, US dollars
= assessed_value money Sum of assessed values, US dollars
"""
        ),
        found.neighborhoods,
        key=("neighborhood_code",),
        color_by="market_value",
        reads=_HOOD,
    ),
    Layer(
        "neighborhood_ratios",
        "Ratio study of the assessor's values by neighborhood",
        _attributes(
            """
= neighborhood_code text Appraisal neighborhood
= sales_count integer Sales in the study
= median_ratio number Median ratio
= median_ratio_low number Lower end of its confidence interval
= median_ratio_high number Upper end of its confidence interval
= cod number Coefficient of dispersion, percent
= prd number Price-related differential
= prb number Price-related bias
= median_verdict text Median ratio against the standard
"""
        ),
        found.neighborhood_ratios,
        key=("neighborhood_code",),
        color_by="median_ratio",
        center=1.0,
        reads=_HOOD
        | {
            "ratio_statistics": "study grouping stratum statistic n estimate ci_low ci_high verdict"
        },
    ),
)

LAYERS: dict[str, Layer] = {layer.name: layer for layer in _LAYERS}


def chosen(names: tuple[str, ...]) -> list[Layer]:
    """The layers of these names, in the order of `LAYERS`, each once.

    Raises
    ------
    ExportError
        A name is unknown; the closest is suggested.
    """
    for name in names:
        if name not in LAYERS:
            raise ExportError(
                f"There is no layer {name!r}: there are {', '.join(LAYERS)}",
                reason_code=UNKNOWN_LAYER,
                hint=did_you_mean(name, LAYERS) or "terrafusion export layers",
            )
    return [layer for layer in _LAYERS if layer.name in names]
