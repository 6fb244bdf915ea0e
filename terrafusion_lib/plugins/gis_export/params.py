"""Parameters of an export."""

from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator

from terrafusion_lib.core.config import FrozenModel
from terrafusion_lib.core.county import GeometryConfig
from terrafusion_lib.core.flags import Flag

LICENSE = (
    "Public record of the county, prepared for mass appraisal. Parcel shapes are for assessment "
    "and are no survey. No warranty of accuracy or fitness."
)

Box = tuple[float, float, float, float]


class Area(StrEnum):
    """What bounds an export."""

    COUNTY = "county"
    BBOX = "bbox"
    POLYGON = "polygon"
    NEIGHBORHOOD = "neighborhood"
    TAX_AREA = "tax_area"
    CITY = "city"


class GisExportParams(FrozenModel):
    """What is exported, of which area, and in which form."""

    AREAS: ClassVar[tuple[str, ...]] = ("bbox", "polygon", "neighborhood", "tax_area", "city")
    """Parameters of which one may bound the export."""

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
        description="Area: GeoJSON geometry, feature or collection, WGS 84; on the command line "
        "a file with polygons",
    )
    neighborhood: tuple[str, ...] = Field(default=(), description="Area: neighborhoods by code")
    tax_area: tuple[str, ...] = Field(default=(), description="Area: tax areas by code")
    city: tuple[str, ...] = Field(default=(), description="Area: cities by name")
    crs: str | None = Field(
        default=None,
        description="Coordinate system, such as EPSG:2927; null: the county's, or the one that "
        "the format prescribes",
    )
    simplify_feet: Annotated[float, Flag("--simplify-feet", "--simplify")] = Field(
        default=0.0,
        ge=0,
        description="Tolerance of simplification, feet; shared borders stay shared; 0: none",
    )
    attributes: Annotated[tuple[str, ...], Flag(commas=True)] = Field(
        default=(), description="Attributes; empty: all of each layer that are not personal data"
    )
    rename: dict[str, str] = Field(
        default_factory=dict, description="New names of attributes, by their own names"
    )
    geometry: GeometryConfig = Field(
        default=GeometryConfig(),
        description="What is done with invalid parcel shapes; the county's geometry by default",
    )
    min_zoom: int = Field(
        default=9, ge=0, le=22, description="For pmtiles: zoom from which tiles are made"
    )
    max_zoom: int = Field(
        default=15, ge=0, le=22, description="For pmtiles: last zoom; maps draw nearer ones from it"
    )
    max_area_sq_km: float = Field(
        default=5_000.0, gt=0, description="Largest bbox or polygon, square kilometers"
    )
    max_records: int = Field(
        default=2_000_000, gt=0, description="Most records of an export, all layers together"
    )
    license: str = Field(default=LICENSE, description="Terms of use, kept with the files")

    @model_validator(mode="after")
    def _zooms_are_in_order(self) -> "GisExportParams":
        if self.min_zoom > self.max_zoom:
            raise ValueError("min_zoom is above max_zoom")
        return self

    @model_validator(mode="after")
    def _one_area(self) -> "GisExportParams":
        named = [name for name in self.AREAS if getattr(self, name)]
        if len(named) > 1:
            raise ValueError(f"an export has one area of interest, not {' and '.join(named)}")
        return self

    @property
    def area(self) -> Area:
        """What bounds the export."""
        return Area(next((name for name in self.AREAS if getattr(self, name)), "county"))

    @property
    def area_values(self) -> tuple[str, ...]:
        """The codes or names that bound it; empty where a shape does, or nothing."""
        if self.area in (Area.COUNTY, Area.BBOX, Area.POLYGON):
            return ()
        values: tuple[str, ...] = getattr(self, self.area)
        return values
