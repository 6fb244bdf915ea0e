"""Parameters of an export."""

from enum import StrEnum
from typing import Any

from pydantic import Field, model_validator

from terrafusion_lib.core.config import FrozenModel
from terrafusion_lib.core.county import GeometryConfig

LICENSE = (
    "Public record of the county, prepared for mass appraisal. Parcel shapes are for assessment "
    "and are no survey. No warranty of accuracy or fitness. Lists of individuals may not be used "
    "for commercial purposes (RCW 42.56.070(8))."
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

    export_format: str = Field(
        default="geopackage", description="Format, such as geopackage, shapefile or pmtiles"
    )
    layers: tuple[str, ...] = Field(
        default=("parcels",), min_length=1, description="Layers, such as parcels or sales"
    )
    area: Area = Field(
        default=Area.COUNTY,
        description="Area of interest: county, bbox, polygon, neighborhood, tax_area or city",
    )
    bbox: Box | None = Field(
        default=None, description="For bbox: west, south, east, north in WGS 84 degrees"
    )
    polygon: dict[str, Any] | None = Field(
        default=None, description="For polygon: GeoJSON geometry, feature or collection, WGS 84"
    )
    area_values: tuple[str, ...] = Field(
        default=(), description="For neighborhood, tax_area and city: the codes or names"
    )
    crs: str | None = Field(
        default=None,
        description="Coordinate system, such as EPSG:2927; null: the county's, or the one that "
        "the format prescribes",
    )
    simplify_feet: float = Field(
        default=0.0,
        ge=0,
        description="Tolerance of simplification, feet; shared borders stay shared; 0: none",
    )
    attributes: tuple[str, ...] = Field(
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
    def _area_is_complete(self) -> "GisExportParams":
        needs = {Area.BBOX: "bbox", Area.POLYGON: "polygon"}
        needs |= dict.fromkeys((Area.NEIGHBORHOOD, Area.TAX_AREA, Area.CITY), "area_values")
        needed = needs.get(self.area)
        if needed and not getattr(self, needed):
            raise ValueError(f"area {self.area} needs {needed}")
        extra = [name for name in sorted({*needs.values()} - {needed}) if getattr(self, name)]
        if extra:
            raise ValueError(f"area {self.area} does not take {extra[0]}")
        return self
