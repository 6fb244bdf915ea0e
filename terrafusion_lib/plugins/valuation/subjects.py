"""Properties and sales as arrays: one row per subject, traits in one matrix."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import NamedTuple, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from terrafusion_lib.plugins.valuation.model.surroundings import means_around
from terrafusion_lib.stats import reproducible
from terrafusion_lib.stats.strata import BoolArray, FloatArray, IntArray

TextArray = NDArray[np.object_]

TRAITS = (
    "building_area_sqft",
    "land_area_sqft",
    "basement_area_sqft",
    "garage_area_sqft",
    "year_built",
    "effective_year_built",
    "stories",
    "bedrooms",
    "bathrooms",
    "quality",
    "condition",
    "view_rating",
    "is_waterfront",
)
ABOVE_ZERO = ("building_area_sqft", "land_area_sqft", "year_built", "effective_year_built")
AREAS = ("building_area_sqft", "land_area_sqft")
SURROUNDINGS = (
    *AREAS,
    "year_built",
    "bathrooms",
    "quality",
    "condition",
    "view_rating",
    "is_waterfront",
)
"""Traits whose mean over nearby parcels describes a subject's surroundings; areas as logs."""
DAYS_PER_YEAR = 365.25
DAYS_PER_MONTH = DAYS_PER_YEAR / 12
EARTH_RADIUS_FEET = 20_902_231.0


class Rows:
    """A dataclass of arrays of equal length."""

    def take(self, rows: BoolArray | IntArray) -> Self:
        """The same columns with only the selected rows."""
        parts = {}
        for field in fields(self):  # type: ignore[arg-type]
            column = getattr(self, field.name)
            parts[field.name] = column.take(rows) if isinstance(column, Rows) else column[rows]
        return type(self)(**parts)

    @classmethod
    def join(cls, tables: Sequence[Self]) -> Self:
        """The rows of one or more tables, in order."""
        parts = {}
        for field in fields(cls):  # type: ignore[arg-type]
            columns = [getattr(table, field.name) for table in tables]
            first = columns[0]
            parts[field.name] = (
                type(first).join(columns) if isinstance(first, Rows) else np.concatenate(columns)
            )
        return cls(**parts)


@dataclass(frozen=True)
class Subjects(Rows):
    """Subjects to value or sold.

    `parcel` numbers the property. `identity` groups what must not value itself: properties sold
    together share one, every other has its own. `day` is the day a subject is valued for, counted
    from the valuation date (0); `year` the same as a fractional calendar year. Missing traits are
    NaN; `located` is False if the location was filled in. `trend` and `premium` are borrowed from
    a larger market: the log price level of the day relative to the valuation date (0 if not
    borrowed) and the log location value there (NaN if not borrowed). `surroundings` are the mean
    traits of the nearest other parcels, sold or not (columns `SURROUNDINGS`; NaN if unknown).
    """

    parcel: IntArray
    identity: IntArray
    property_type: TextArray
    use: TextArray
    neighborhood: TextArray
    traits: FloatArray
    x_feet: FloatArray
    y_feet: FloatArray
    located: BoolArray
    day: FloatArray
    year: FloatArray
    trend: FloatArray
    premium: FloatArray
    surroundings: FloatArray

    def __len__(self) -> int:
        return int(self.parcel.size)

    @property
    def market(self) -> TextArray:
        """Market of each subject: its property type, with ``_land`` if it has no known building,
        because land and improved property sell differently. Vacant land with a building is a
        separate market, ``vacant_land_improved``. None if the type is unknown.
        """
        built = np.isfinite(self.trait("building_area_sqft"))
        vacant = self.property_type == "vacant_land"
        ending = np.where(vacant, np.where(built, "_improved", ""), np.where(built, "", "_land"))
        named = ~absent(self.property_type)
        market: TextArray = np.full(len(self), None, dtype=object)
        market[named] = self.property_type[named] + ending[named].astype(object)
        return market

    def trait(self, name: str) -> FloatArray:
        """One trait of every subject."""
        return self.traits[:, TRAITS.index(name)]


@dataclass(frozen=True)
class Sales(Rows):
    """Sales: the property as sold, and its price in US dollars."""

    unit: Subjects
    sale_id: TextArray
    property_id: TextArray
    sale_date: NDArray[np.datetime64]
    price: FloatArray

    def __len__(self) -> int:
        return int(self.price.size)

    def of_market(self, name: str) -> Self:
        """Sales of one market (see `Subjects.market`)."""
        return self.take(self.unit.market == name)

    def identities(self) -> list[tuple[object, object]]:
        """Row key: sale and property."""
        return list(zip(self.sale_id.tolist(), self.property_id.tolist(), strict=True))

    def parcels(self) -> int:
        """Number of distinct parcels sold."""
        return int(np.unique(self.unit.parcel).size)


def numbers(table: pa.Table, column: str) -> FloatArray:
    """A numeric or boolean column as floats, null and infinite as NaN; all NaN if missing."""
    if column not in table.column_names:
        return np.full(table.num_rows, np.nan)
    cast = (
        table[column].cast(pa.int8()) if pa.types.is_boolean(table[column].type) else table[column]
    )
    floats = np.asarray(cast.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
    return np.where(np.isfinite(floats), floats, np.nan)


def texts(table: pa.Table, column: str) -> TextArray:
    """A text column as objects, null as None."""
    return np.asarray(table[column].to_numpy(zero_copy_only=False), dtype=object)


def absent(column: TextArray) -> BoolArray:
    """Mask of the nulls of a text column."""
    return np.asarray(pc.is_null(pa.array(column, pa.string())), dtype=np.bool_)


def traits_of(table: pa.Table) -> FloatArray:
    """The trait matrix of a properties or sales table, cleaned of impossible values (`cleaned`)."""
    return cleaned(np.column_stack([numbers(table, name) for name in TRAITS]))


def cleaned(traits: FloatArray) -> FloatArray:
    """The trait matrix without impossible values: negative values, and zero areas or years."""
    possible = np.where(traits >= 0, traits, np.nan)
    columns = [TRAITS.index(name) for name in ABOVE_ZERO]
    possible[:, columns] = np.where(possible[:, columns] > 0, possible[:, columns], np.nan)
    return possible


class Origin(NamedTuple):
    """Origin of a county's plane coordinates, WGS 84 degrees. A model's locations are in feet from
    it, so values must be computed from the same origin.
    """

    latitude: float
    longitude: float

    @classmethod
    def of(cls, table: pa.Table) -> "Origin":
        """The center of a properties table; NaN without known locations."""
        latitude, longitude = numbers(table, "latitude"), numbers(table, "longitude")
        known = np.isfinite(latitude) & np.isfinite(longitude)
        if not known.any():
            return cls(float("nan"), float("nan"))
        return cls(float(np.median(latitude[known])), float(np.median(longitude[known])))


def properties_as_subjects(
    table: pa.Table, valuation_date: date, origin: Origin | None = None
) -> Subjects:
    """Every property as a subject for the valuation date; locations in feet from `origin`."""
    neighborhood = texts(table, "neighborhood_code")
    x, y = plane(
        numbers(table, "latitude"), numbers(table, "longitude"), origin or Origin.of(table)
    )
    located = np.isfinite(x) & np.isfinite(y)
    x, y = _filled(x, y, neighborhood, located)
    size = table.num_rows
    traits = traits_of(table)
    return Subjects(
        parcel=np.arange(size),
        identity=np.arange(size),
        property_type=texts(table, "property_type"),
        use=texts(table, "property_class"),
        neighborhood=neighborhood,
        traits=traits,
        x_feet=x,
        y_feet=y,
        located=located,
        day=np.zeros(size),
        year=np.full(size, float(valuation_date.year)),
        trend=np.zeros(size),
        premium=np.full(size, np.nan),
        surroundings=means_around(_described(traits), x, y, located),
    )


def _described(traits: FloatArray) -> FloatArray:
    """The traits of `SURROUNDINGS`, areas as logs."""
    described = traits[:, [TRAITS.index(name) for name in SURROUNDINGS]]
    described[:, : len(AREAS)] = reproducible.log(described[:, : len(AREAS)])
    return described


def plane(
    latitude: FloatArray, longitude: FloatArray, origin: Origin
) -> tuple[FloatArray, FloatArray]:
    """Local plane coordinates, feet east and north of `origin`; NaN if a coordinate is missing.
    Equirectangular projection: within a county, distances are accurate to a few parts in a
    thousand, enough for finding neighbors.
    """
    known = np.isfinite(latitude) & np.isfinite(longitude)
    y = np.radians(latitude - origin.latitude) * EARTH_RADIUS_FEET
    x = np.radians(longitude - origin.longitude) * EARTH_RADIUS_FEET
    x *= reproducible.wave(origin.latitude / 360)[0]
    return np.where(known, x, np.nan), np.where(known, y, np.nan)


def _filled(
    x: FloatArray, y: FloatArray, neighborhood: TextArray, located: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Place subjects without a location at the center of their neighborhood, or of the county."""
    if located.all() or not located.any():
        return np.nan_to_num(x), np.nan_to_num(y)
    names = pc.dictionary_encode(pa.array(neighborhood, pa.string()), null_encoding="encode")
    code = np.asarray(names.indices.to_numpy(zero_copy_only=False), dtype=np.int64)
    count = np.bincount(code[located], minlength=len(names.dictionary))
    filled = []
    for axis in (x, y):
        total = np.bincount(code[located], weights=axis[located], minlength=count.size)
        middle = np.where(count > 0, total / np.maximum(count, 1), np.median(axis[located]))
        filled.append(np.where(located, axis, middle[code]))
    return filled[0], filled[1]
