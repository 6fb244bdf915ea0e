"""Parameters of an export."""

from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator

from terrafusion_lib.core.config import FrozenModel
from terrafusion_lib.core.county import GeometryConfig
from terrafusion_lib.core.flags import Flag

LICENSE = (
    "Public record of the county, prepared for mass appraisal. Parcel shapes are for assessment "
    "purposes and are not a survey. No warranty of accuracy or fitness."
)

Box = tuple[float, float, float, float]


class Area(StrEnum):
    """The area of an export."""

    COUNTY = "county"
    BBOX = "bbox"
    POLYGON = "polygon"
    NEIGHBORHOOD = "neighborhood"
    TAX_AREA = "tax_area"
    CITY = "city"


class GisExportParams(FrozenModel):
    """What to export, for which area, in which form."""

    AREAS: ClassVar[tuple[str, ...]] = ("bbox", "polygon", "neighborhood", "tax_area", "city")
    """Area parameters; at most one may be set."""

    export_format: Annotated[str, Flag("--format", "-f")] = Field(
        default="geopackage", description="Format, such as geopackage, shapefile or pmtiles"
    )
    layers: Annotated[tuple[str, ...], Flag(commas=True)] = Field(
        default=("parcels",), min_length=1, description="Layers, such as parcels or sales"
    )
    bbox: Annotated[Box | None, Flag(read="terrafusion_lib.plugins.gis_export.flags:box")] = Field(
        default=None, description="Area: west,south,east,north in WGS 84 degrees"
    )
    polygon: Annotated[
        dict[str, Any] | None, Flag(read="terrafusion_lib.plugins.gis_export.flags:read_area")
    ] = Field(
        default=None,
        description="Area: GeoJSON geometry, feature or collection, WGS 84; on the command line, "
        "a file with polygons",
    )
    neighborhood: tuple[str, ...] = Field(default=(), description="Area: neighborhood codes")
    tax_area: tuple[str, ...] = Field(default=(), description="Area: tax code areas")
    city: tuple[str, ...] = Field(default=(), description="Area: city names")
    crs: str | None = Field(
        default=None,
        description="Coordinate system, such as EPSG:2927; null: the county's, or the one the "
        "format requires",
    )
    simplify_feet: Annotated[float, Flag("--simplify-feet", "--simplify")] = Field(
        default=0.0,
        ge=0,
        description="Simplification tolerance, feet; shared boundaries stay shared; 0: none",
    )
    attributes: Annotated[tuple[str, ...], Flag(commas=True)] = Field(
        default=(),
        description="Attributes; empty: all attributes of each layer except personal data",
    )
    rename: dict[str, str] = Field(
        default_factory=dict, description="New attribute names, by original name"
    )
    geometry: GeometryConfig = Field(
        default=GeometryConfig(),
        description="How to treat invalid parcel shapes; default: the county's geometry setting",
    )
    min_zoom: int = Field(default=9, ge=0, le=22, description="For pmtiles: lowest zoom with tiles")
    max_zoom: int = Field(
        default=15,
        ge=0,
        le=22,
        description="For pmtiles: highest zoom with tiles; maps scale these up for higher zooms",
    )
    max_area_sq_km: float = Field(
        default=5_000.0, gt=0, description="Maximum area of bbox or polygon, square kilometers"
    )
    max_records: int = Field(
        default=2_000_000, gt=0, description="Maximum records in an export, all layers together"
    )
    license: str = Field(default=LICENSE, description="Terms of use, included with the files")

    @model_validator(mode="after")
    def _zooms_are_in_order(self) -> "GisExportParams":
        if self.min_zoom > self.max_zoom:
            raise ValueError("min_zoom is above max_zoom")
        return self

    @model_validator(mode="after")
    def _one_area(self) -> "GisExportParams":
        named = [name for name in self.AREAS if getattr(self, name)]
        if len(named) > 1:
            raise ValueError(
                f"an export can have only one area of interest, not {' and '.join(named)}"
            )
        return self

    @property
    def area(self) -> Area:
        """The export's area."""
        return Area(next((name for name in self.AREAS if getattr(self, name)), "county"))

    @property
    def area_values(self) -> tuple[str, ...]:
        """The codes or names of the area; empty for a shape or no area."""
        if self.area in (Area.COUNTY, Area.BBOX, Area.POLYGON):
            return ()
        values: tuple[str, ...] = getattr(self, self.area)
        return values
