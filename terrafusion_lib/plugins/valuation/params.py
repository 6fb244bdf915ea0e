"""Parameters of a valuation run."""

from datetime import date
from enum import StrEnum

from pydantic import ConfigDict, Field

from terrafusion_lib.core.config import FrozenModel
from terrafusion_lib.stats.standards import Edition, MarketArea, Trimming


class Validity(StrEnum):
    """Which validity codes make a sale valid.

    ``both``: no known code says invalid and at least one says valid. ``none``: codes are ignored.
    If no sale in the county has a code, every priced sale is used, and the summary says so.
    """

    DOR = "dor"
    COUNTY = "county"
    EITHER = "either"
    BOTH = "both"
    NONE = "none"


class MultiParcel(StrEnum):
    """How to treat multi-parcel sales.

    ``allocate``: each parcel gets its share of the price by its market value at the sale.
    """

    EXCLUDE = "exclude"
    ALLOCATE = "allocate"


class Holdout(StrEnum):
    """Which sales test the model.

    ``auto``: those on or after the valuation date if there are `min_holdout_sales`, otherwise the
    newest share of the earlier ones.
    """

    AUTO = "auto"
    AFTER_VALUATION_DATE = "after_valuation_date"
    NEWEST = "newest"


class PersonsWord(FrozenModel):
    """A person's decision; an id written as a number is read as text."""

    model_config = ConfigDict(coerce_numbers_to_str=True)


class ValueOverride(PersonsWord):
    """A value set by a person instead of the model's, and why; the latest counts."""

    property_id: str
    value: float = Field(ge=0, description="US dollars")
    reason: str = Field(min_length=3)
    who: str = Field(min_length=1)
    when: date


class TreeSettings(FrozenModel):
    """Settings of boosted trees; the defaults were chosen on King County's training sales.

    ``terrafusion valuation tune`` finds those of a county.
    """

    learning_rate: float = Field(default=0.08, gt=0, le=1)
    leaves: int = Field(default=15, ge=2, le=255, description="Maximum leaves per tree")
    depth: int = Field(default=5, ge=1, le=20, description="Maximum tree depth")
    min_sales_in_leaf: int = Field(default=20, ge=1)
    signal_share: float = Field(
        default=0.6, gt=0, le=1, description="Signals drawn per tree, share"
    )
    sales_share: float = Field(default=0.8, gt=0, le=1, description="Sales drawn per tree, share")


class SaleDecision(PersonsWord):
    """A person's decision on a sale, overriding codes and software; the latest counts."""

    sale_id: str
    valid: bool
    reason: str = Field(min_length=3)
    who: str = Field(min_length=1)
    when: date


class ValuationParams(FrozenModel):
    """Parameters of a valuation; defaults suit a county with five years of coded sales."""

    property_ids: tuple[str, ...] = Field(
        default=(), description="Properties to value; empty: every active property of the county"
    )
    comparables: int = Field(default=5, ge=1, le=30, description="Comparable sales per property")
    max_sale_age_months: int = Field(
        default=36, ge=3, le=120, description="Age limit of sales, months before the valuation date"
    )
    min_valid_sales: int = Field(
        default=30,
        ge=20,
        description="Minimum sold parcels (valid sales) for a market to get its own model",
    )
    min_ensemble_sales: int = Field(
        default=500,
        ge=100,
        description="Minimum valid sales for a market to get boosted trees on top of comparables",
    )
    trees: TreeSettings = Field(
        default=TreeSettings(),
        description="Settings of boosted trees; see terrafusion valuation tune",
    )
    equity: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="Share of price-related bias in unseen sales that the calibration removes; "
        "0: most accurate values, 1: no bias",
    )
    min_market_accuracy: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="Share of unseen sales that a market's model must value within 20 percent; "
        "if lower, the assessor's value is trended instead, where there is one",
    )
    min_sale_price: float = Field(
        default=1_000.0, gt=0, description="Minimum price of a sale, US dollars"
    )
    validity: Validity = Field(
        default=Validity.BOTH,
        description="Validity codes: dor (the state's), county, either, both, none",
    )
    invalid_deeds: dict[str, str] = Field(
        default_factory=dict,
        description="Deed types that are not arm's-length sales, with the state's code for the "
        "reason",
    )
    sales_decisions: tuple[SaleDecision, ...] = Field(
        default=(), description="People's decisions on sales, with reason, name and date"
    )
    suspect_deviations: float = Field(
        default=4.0,
        gt=0,
        description="A price further than this from those of similar sales, in robust standard "
        "deviations, makes a sale suspect, for a person to review",
    )
    multi_parcel: MultiParcel = Field(
        default=MultiParcel.EXCLUDE, description="Multi-parcel sales: exclude or allocate"
    )
    outlier_deviations: float = Field(
        default=5.0,
        gt=0,
        description="A sale further than this from the market, in robust standard deviations of "
        "the regression's residuals, is not used as a comparable",
    )
    time_adjustment: bool = Field(
        default=True, description="Adjust prices from the sale date to the valuation date"
    )
    carry_over: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Share of a comparable's unexplained deviation carried over to the subject; "
        "null: fitted. 1 is the classic grid; higher favors vertical equity, lower "
        "favors accuracy",
    )
    value_distance: float = Field(
        default=0.10,
        gt=0,
        description="Difference in traits that counts as one unit of dissimilarity, share of value",
    )
    distance_scale_feet: float = Field(
        default=5_280.0, gt=0, description="Distance that counts as one unit of dissimilarity, feet"
    )
    age_scale_months: float = Field(
        default=12.0,
        gt=0,
        description="Age of a sale that counts as one unit of dissimilarity, months",
    )
    round_to: float = Field(
        default=10.0,
        ge=0,
        description="Round values to multiples of this, US dollars; 0: no rounding",
    )
    min_value: float = Field(default=0.0, ge=0, description="Minimum value, US dollars")
    max_change: float | None = Field(
        default=None,
        gt=0,
        le=5,
        description="Maximum change from the assessor's market value, share: 0.15 is 15 percent",
    )
    unchanged_tolerance: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="Keep the assessor's value where the new one differs by less than this, share",
    )
    overrides: tuple[ValueOverride, ...] = Field(
        default=(), description="Values set by a person, with reason, name and date"
    )
    interval_level: float = Field(
        default=0.90, gt=0.5, lt=1, description="Coverage of the prediction interval"
    )
    review_threshold: float = Field(
        default=0.75,
        ge=0,
        le=1,
        description="Confidence score below which a value is flagged for review",
    )
    review_change: float = Field(
        default=0.25,
        gt=0,
        description="Change from the assessor's market value that is flagged for review, share",
    )
    review_adjustment_pct: float = Field(
        default=50.0,
        gt=0,
        description="Gross adjustment that is flagged for review, percent of price",
    )
    holdout: Holdout = Field(
        default=Holdout.AUTO, description="Test sales: auto, after_valuation_date, newest"
    )
    min_holdout_sales: int = Field(
        default=100, ge=1, description="Minimum later sales that are enough for a test"
    )
    holdout_share: float = Field(
        default=0.20, gt=0, lt=1, description="Share of newest sales used when those are the test"
    )
    holdout_months: int = Field(
        default=12, ge=1, description="Test sales on or after the valuation date: months after"
    )
    study_months_before: int = Field(
        default=12, ge=0, description="Sales of the appraised study: months before"
    )
    study_months_after: int = Field(
        default=0, ge=0, description="Sales of the appraised study: months after"
    )
    trimming: Trimming = Field(
        default=Trimming.NONE, description="Outlier ratios trimmed from studies: none, iqr, wac"
    )
    ratio_edition: Edition = Field(
        default=Edition.IAAO_2013,
        description="Limits of ratio studies: iaao_2013, iaao_2013_oversight, iaao_1999",
    )
    ratio_market: MarketArea = Field(
        default=MarketArea.TYPICAL,
        description="Kind of market for COD limits: active, typical, rural",
    )
    bootstrap_replicates: int = Field(
        default=1_000, ge=0, description="Replicates of bootstrapped intervals; 0: no intervals"
    )
