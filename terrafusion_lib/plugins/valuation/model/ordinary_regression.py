"""The textbook hedonic regression: ordinary least squares, readable and defensible.

It produces no values. It is the benchmark on the leaderboard, and its coefficients, signs and
variance inflation factors show whether a market makes sense.
"""

import warnings
from dataclasses import dataclass

import numpy as np

from terrafusion_lib.plugins.valuation.model.design import features, indicators
from terrafusion_lib.plugins.valuation.subjects import DAYS_PER_YEAR, Sales, Subjects
from terrafusion_lib.stats.strata import FloatArray

EXPECTED_SIGNS = {
    "size": 1,
    "land": 1,
    "age": -1,
    "renovation": 0,
    "quality": 1,
    "condition": 1,
    "bathrooms": 1,
    "bedrooms": 0,
    "stories": 0,
    "garage": 1,
    "basement": 1,
    "view": 1,
    "waterfront": 1,
    "years": 0,
}
MIN_SHARE_KNOWN = 0.5


@dataclass(frozen=True)
class OrdinaryRegression:
    """Log of price on traits, sale year, use and neighborhood; the first label is the base."""

    traits: tuple[str, ...]
    means: FloatArray
    uses: tuple[str, ...]
    neighborhoods: tuple[str, ...]
    coefficients: FloatArray
    std_error: FloatArray
    p_value: FloatArray
    vif: FloatArray
    smearing: float

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the coefficients."""
        return (
            "constant",
            *self.traits,
            "years",
            *(f"use:{label}" for label in self.uses),
            *(f"neighborhood:{label}" for label in self.neighborhoods),
        )

    def predict(self, units: Subjects) -> FloatArray:
        """Values, US dollars, with Duan's smearing (JASA 78, 1983) from logs to dollars."""
        matrix = _matrix(units, self.traits, self.means, self.uses, self.neighborhoods)
        return np.exp(matrix @ self.coefficients) * self.smearing

    def expected_signs(self) -> list[int]:
        """Expected sign of each term: 1, -1, or 0 for any."""
        return [EXPECTED_SIGNS.get(term, 0) for term in self.terms]


def ordinary_regression(sales: Sales) -> OrdinaryRegression:
    """Fit the regression to the sales of one market.

    Uses traits that vary and are known for at least half of the sales; unknown values are set to
    the mean. Standard errors are HC1 (MacKinnon and White, 1985). Collinear columns share their
    effect (pseudo-inverse).
    """
    import statsmodels.api as sm

    inputs = features(sales.unit)
    traits = tuple(name for name in EXPECTED_SIGNS if name in inputs and _tells(inputs[name]))
    means = np.array([np.nanmean(inputs[name]) for name in traits])
    uses, neighborhoods = _labels(sales.unit.use), _labels(sales.unit.neighborhood)
    matrix = _matrix(sales.unit, traits, means, uses, neighborhoods)
    with warnings.catch_warnings():
        # statsmodels warns of collinear columns (a class from 0.15 on, a plain warning before).
        warnings.filterwarnings("ignore", message=".*rank-deficient|covariance of constraints")
        fitted = sm.OLS(np.log(sales.price), matrix).fit(cov_type="HC1")
    return OrdinaryRegression(
        traits=traits,
        means=means,
        uses=uses,
        neighborhoods=neighborhoods,
        coefficients=fitted.params,
        std_error=fitted.bse,
        p_value=fitted.pvalues,
        vif=_inflation(matrix, len(traits) + 1),
        smearing=float(np.exp(fitted.resid).mean()),
    )


def _tells(values: FloatArray) -> bool:
    known = values[np.isfinite(values)]
    return bool(known.size >= MIN_SHARE_KNOWN * values.size and np.ptp(known) > 0)


def _labels(column: np.ndarray) -> tuple[str, ...]:
    return tuple(sorted(set(column.tolist()) - {None}))[1:]


def _matrix(
    units: Subjects,
    traits: tuple[str, ...],
    means: FloatArray,
    uses: tuple[str, ...],
    neighborhoods: tuple[str, ...],
) -> FloatArray:
    inputs = features(units)
    columns = [
        np.where(np.isnan(inputs[name]), mean, inputs[name])
        for name, mean in zip(traits, means, strict=True)
    ]
    return np.column_stack(
        [
            np.ones(len(units)),
            *columns,
            units.day / DAYS_PER_YEAR,
            indicators(units.use, uses),
            indicators(units.neighborhood, neighborhoods),
        ]
    )


def _inflation(matrix: FloatArray, traits: int) -> FloatArray:
    """Variance inflation factors of the traits (columns 1 to `traits`), NaN for the rest.

    1 / (1 - R squared) of each on all other columns, including indicators, from the inverse
    correlation matrix (Belsley, Kuh and Welsch, 1980).
    """
    varying = np.flatnonzero(matrix.std(axis=0) > 0)
    factors = np.full(matrix.shape[1], np.nan)
    if varying.size > 1:
        correlations = np.corrcoef(matrix[:, varying], rowvar=False)
        factors[varying] = np.diag(np.linalg.pinv(correlations, hermitian=True))
    factors[traits + 1 :] = np.nan
    return factors
