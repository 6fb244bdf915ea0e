"""Accuracy on the real sales of King County, on the fixed splits of the benchmark."""

import os

import pytest

from terrafusion_lib.plugins.valuation.params import ValuationParams
from terrafusion_lib.stats import ratio
from tests.support.require import real_data


@pytest.mark.real_data
@pytest.mark.parametrize(("split", "cod", "level"), [("time", 12.1, 0.03), ("random", 11.5, 0.01)])
def test_unseen_sales_of_king_county(split, cod, level, monkeypatch: pytest.MonkeyPatch) -> None:
    """Better than the reference of twelve comparables (COD 12.38 and 11.95)."""
    folder = real_data("kc_house_data.csv").parent
    monkeypatch.setitem(os.environ, "TERRAFUSION_DATA", str(folder))
    from benchmarks import king_county

    frame = king_county.read_sales()
    test = king_county.splits(frame)[split]
    assert test.sum() == {"time": 4_752, "random": 4_323}[split]
    sales = king_county.as_sales(frame)
    value = king_county.valued(sales, test, ValuationParams())
    price = frame["price"].to_numpy(float)[test]
    assert ratio.cod(value, price) < cod
    assert abs(ratio.median_ratio(value, price) - 1) < level + 0.02
    assert abs(ratio.prb(value, price)) < 0.05
    assert 0.98 < ratio.prd(value, price) < 1.03
