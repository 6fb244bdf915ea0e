"""What a state profile may say; what it does not say sets no limit."""

from datetime import date
from typing import Any

from pydantic import Field, field_validator, model_validator

from terrafusion_lib.core.config import FrozenModel

Span = tuple[float, float]


class Places(FrozenModel):
    """Where the state lies.

    Without latitude and longitude a county's points must lie where its own `crs` is in use.
    """

    latitude: Span | None = Field(default=None, description="South and north, WGS 84 degrees")
    longitude: Span | None = Field(default=None, description="West and east, WGS 84 degrees")
    zip_prefixes: tuple[str, ...] = Field(
        default=(), description="First three digits of ZIP codes: 980-986, 988"
    )

    @field_validator("latitude", "longitude")
    @classmethod
    def _in_order(cls, value: Span | None) -> Span | None:
        if value and value[0] >= value[1]:
            raise ValueError("the smaller comes first")
        return value

    @field_validator("zip_prefixes", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        return [str(item) for item in value] if isinstance(value, list | tuple) else value

    @field_validator("zip_prefixes")
    @classmethod
    def _three_digits(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for item in value:
            ends = item.split("-")
            if len(ends) > 2 or any(len(end) != 3 or not end.isdigit() for end in ends):
                raise ValueError(
                    f"{item!r} is not three digits, or a range with a dash; put it in quotes"
                )
        return value

    @model_validator(mode="after")
    def _whole_box(self) -> "Places":
        if (self.latitude is None) != (self.longitude is None):
            raise ValueError("give latitude and longitude, or neither")
        return self


class Statutes(FrozenModel):
    """Where the law says it, by topic; rules cite it beside their reason."""

    valuation_date: str = ""
    market_value: str = ""
    tax_due: str = ""
    inspection_cycle: str = ""
    new_construction: str = ""
    exemptions: str = ""
    senior_freeze: str = ""
    current_use: str = ""
    current_use_value: str = ""
    land_use_codes: str = ""
    least_room: str = "International Residential Code R304.1"
    transfer_tax: str = ""
    sale_validity: str = ""
    ratio_study: str = ""
    personal_data: str = ""


class ExtremeRatios(FrozenModel):
    """Ratios of value to price outside these ask for a look at a sale that counts as valid."""

    low: float = Field(default=0.25, ge=0)
    high: float = Field(default=1.75, gt=0)


class StateProfile(FrozenModel):
    """What a county has from its state."""

    name: str = Field(description="Name in messages: Washington")
    code: str | None = Field(default=None, pattern="^[A-Z]{2}$", description="Postal code: WA")
    places: Places = Places()
    first_house_year: int = Field(
        default=1600, description="No existing house is older than this year"
    )
    first_record: date = Field(default=date(1600, 1, 1), description="No deed was recorded earlier")
    tax_year_after: int = Field(
        default=1,
        ge=0,
        le=2,
        description="Tax year minus assessment year: 1 if taxes follow a year later",
    )
    inspection_years: int | None = Field(
        default=None, ge=1, description="Years in the inspection cycle"
    )
    land_use_pattern: str | None = Field(
        default=None, description="Format of the state's land use codes, a regular expression"
    )
    condominium_class: str = Field(
        default="",
        description="Land use code of condominium units, which have no land of their own",
    )
    extreme_ratios: ExtremeRatios = ExtremeRatios()
    statutes: Statutes = Statutes()
    rules: dict[str, tuple[dict[str, Any], ...]] = Field(
        default_factory=dict, description="Rules for this state only, by canonical table"
    )
    plugins: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="Parameters by plugin set by the state"
    )
