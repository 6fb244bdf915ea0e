"""The ratio study in long form."""

import numpy as np
import pytest

from terrafusion_lib.plugins.valuation.tables import RATIO_STATISTICS
from terrafusion_lib.stats import ratio
from terrafusion_lib.stats.standards import Trimming
from terrafusion_lib.stats.strata import RatioDataError
from terrafusion_lib.stats.study import COLUMNS, StudyOptions, ratio_study

QUICK = StudyOptions(replicates=200)


def sales(size: int = 400, seed: int = 4) -> tuple[np.ndarray, np.ndarray, list, list]:
    rng = np.random.default_rng(seed)
    price = np.exp(rng.normal(12, 0.5, size)).round(-3)
    value = price * np.exp(rng.normal(-0.05, 0.12, size))
    kinds = rng.choice(["residential", "vacant_land"], size, p=[0.8, 0.2]).tolist()
    hoods = rng.choice(["530100", "530200", "530300", None], size).tolist()
    return value, price, kinds, hoods


def rows(columns: dict[str, list[object]]) -> dict[tuple, dict[str, object]]:
    listed = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return {(row["grouping"], row["stratum"], row["statistic"]): row for row in listed}


def test_columns_are_those_of_the_canonical_schema() -> None:
    assert ("run_id", "county_id", *COLUMNS) == RATIO_STATISTICS.column_names


def test_each_row_is_the_statistic_of_its_stratum() -> None:
    value, price, kinds, hoods = sales()
    columns = ratio_study(
        value, price, {"property_type": kinds, "neighborhood_code": hoods}, study="s", options=QUICK
    )
    found = rows(columns)
    keys = list(zip(*(columns[c] for c in ("grouping", "stratum", "statistic")), strict=True))
    assert len(keys) == len(set(keys))
    for grouping, labels in (("property_type", kinds), ("neighborhood_code", hoods)):
        for label in {label for label in labels if label is not None}:
            mask = np.array([item == label for item in labels])
            for statistic in ("median_ratio", "cod", "prd", "prb", "mki", "vei"):
                row = found[grouping, label, statistic]
                expected = getattr(ratio, statistic)(value[mask], price[mask])
                assert row["estimate"] == pytest.approx(expected), (label, statistic)
                assert row["n"] == mask.sum()
                assert row["ci_low"] <= row["estimate"] <= row["ci_high"]
    assert found["overall", "all", "cod"]["n"] == value.size
    assert ("neighborhood_code", "None", "cod") not in found


def test_cod_is_held_to_the_limit_of_the_one_type_in_a_stratum() -> None:
    value, price, kinds, _ = sales()
    found = rows(ratio_study(value, price, {"property_type": kinds}, study="s", options=QUICK))
    assert found["property_type", "residential", "cod"]["limit_high"] == 15.0
    assert found["property_type", "vacant_land", "cod"]["limit_high"] == 25.0
    assert found["overall", "all", "cod"]["limit_high"] is None
    assert found["overall", "all", "cod"]["verdict"] is None
    assert found["overall", "all", "prd"]["verdict"] == "met"
    alone = ratio_study(
        value, price, {"property_type": ["residential"] * len(kinds)}, study="s", options=QUICK
    )
    assert rows(alone)["overall", "all", "cod"]["verdict"] == "met"


def test_other_strata_and_input_order_do_not_change_an_interval() -> None:
    value, price, kinds, hoods = sales()
    both = ratio_study(
        value, price, {"property_type": kinds, "neighborhood_code": hoods}, study="s", options=QUICK
    )
    order = np.random.default_rng(1).permutation(value.size)
    one = ratio_study(
        value[order],
        price[order],
        {"neighborhood_code": [hoods[i] for i in order]},
        study="s",
        options=QUICK,
    )
    shared = rows(one)
    whole = rows(both)
    for key, row in shared.items():
        if key[0] == "neighborhood_code":
            for name in ("estimate", "ci_low", "ci_high"):
                assert row[name] == whole[key][name], key


def test_seed_decides_the_bootstrap() -> None:
    value, price, *_ = sales()
    a, b, c = (
        ratio_study(value, price, {}, study="s", options=StudyOptions(replicates=200, seed=seed))
        for seed in (1, 1, 2)
    )
    assert a == b
    assert a["ci_low"] != c["ci_low"]


def test_small_strata_have_figures_without_intervals_and_no_verdict() -> None:
    found = rows(ratio_study([90.0], [100.0], {}, study="s", options=QUICK))
    assert found["overall", "all", "median_ratio"]["estimate"] == 0.9
    assert found["overall", "all", "median_ratio"]["ci_low"] is None
    assert found["overall", "all", "median_ratio"]["confidence_level"] is None
    assert found["overall", "all", "median_ratio"]["verdict"] == "too few"
    assert found["overall", "all", "cod"]["estimate"] is None


def test_no_sales_give_no_rows() -> None:
    columns = ratio_study([], [], {"property_type": []}, study="s")
    assert set(columns) == set(COLUMNS)
    assert all(column == [] for column in columns.values())


def test_trimming_is_explicit_and_counted() -> None:
    value, price, *_ = sales()
    value[0] = 50 * price[0]
    untrimmed = rows(ratio_study(value, price, {}, study="s", options=QUICK))
    options = StudyOptions(replicates=0, trimming=Trimming.IQR)
    trimmed = rows(ratio_study(value, price, {}, study="s", options=options))
    assert untrimmed["overall", "all", "cod"]["n"] == value.size
    assert trimmed["overall", "all", "cod"]["n"] == value.size - 1
    assert trimmed["overall", "all", "cod"]["ci_low"] is None


def test_labels_must_match_the_sales() -> None:
    with pytest.raises(RatioDataError, match="2 labels of property_type for 3 sales"):
        ratio_study([1.0] * 3, [1.0] * 3, {"property_type": ["a", "b"]}, study="s")
    with pytest.raises(RatioDataError, match="prices above zero"):
        ratio_study([1.0], [0.0], {}, study="s")


def test_labels_that_are_missing_leave_sales_out_of_a_grouping_even_all_of_them() -> None:
    value, price = [1.0, 2.0, 3.0], [1.0, 2.0, 4.0]
    found = ratio_study(
        value, price, {"area": [None] * 3, "kind": ["a", float("nan"), "b"]}, study="s"
    )
    strata = set(zip(found["grouping"], found["stratum"], strict=True))
    assert strata == {("overall", "all"), ("kind", "a"), ("kind", "b")}


def test_an_interval_says_its_own_confidence() -> None:
    rng = np.random.default_rng(2)
    price = rng.uniform(1e5, 9e5, 60)
    found = ratio_study(price * rng.normal(1, 0.1, 60), price, {}, study="s")
    levels = dict(zip(found["statistic"], found["confidence_level"], strict=True))
    assert levels["vei"] == 0.90
    assert levels["median_ratio"] == levels["cod"] == 0.95
