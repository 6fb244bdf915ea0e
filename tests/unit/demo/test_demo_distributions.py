"""The larger demo county looks like Benton: uses, values, prices, codes, shapes."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pytest
import shapely


@pytest.fixture(scope="module")
def layer(county):
    return gpd.read_parquet(county.folder / "source" / "parcels.parquet")


@pytest.fixture(scope="module")
def truth(county):
    sales = county.truth("sales").to_pandas()
    return sales.assign(sale_date=pd.to_datetime(sales.sale_date))


def test_report_figures_match_the_calibration(county):
    report = county.report
    assert report.mean_single_family_value == pytest.approx(383_700, rel=0.005)
    assert report.single_family_land_share == pytest.approx(0.21, abs=0.015)
    assert 405_000 < report.median_price < 465_000
    assert 0.90 < report.median_ratio < 0.97
    assert report.link_rate == pytest.approx(0.988, abs=0.002)


def test_use_codes_have_bentons_shares(county):
    counts = dict(county.rows(
        "select v.property_use_cd, count(*) from property_val v join property p using (prop_id) "
        "where v.prop_val_yr = 2026 and v.sup_num = 0 and p.prop_type_cd <> 'P    ' "
        "and v.udi_parent_prop_id is null and v.prop_inactive_dt is null group by 1"))  # fmt: skip
    total = sum(counts.values())
    for code, benton in {"11": 51_606, "18": 11_995, "83": 6_837, "12": 1_779, "14": 1_768}.items():
        assert counts[code] / total == pytest.approx(benton / 83_326, rel=0.08), code


def test_five_years_of_sales_with_bentons_mix_of_county_codes(county):
    counts = dict(county.rows("select sl_county_ratio_cd, count(*) from sale "
                              "where sl_dt >= '2021-05-01' group by 1"))  # fmt: skip
    total = sum(counts.values())
    assert total / 5 / county.report.parcels == pytest.approx(0.063, abs=0.006)
    benton = {"100": 21_715, "200": 10_445, "300": 3_363, "400": 557}
    for code, count in benton.items():
        assert counts[code] / total == pytest.approx(count / 36_113, abs=0.04), code


def test_codes_are_mostly_right_and_sometimes_wrong_or_missing(county, truth):
    codes = {key: (dor, own) for key, dor, own in county.rows(
        "select s.chg_of_owner_id, t.invalid_sale, s.sl_county_ratio_cd from sale s "
        "left join sale_ratio_type t using (sl_ratio_type_cd) "
        "where sl_dt >= '2018-01-01'")}  # fmt: skip
    known = truth[truth.chg_of_owner_id.isin(codes)]
    dor = [codes[key][0] for key in known.chg_of_owner_id]
    own = [codes[key][1] for key in known.chg_of_owner_id]
    missing = np.mean([code is None for code in dor])
    assert 0.01 < missing < 0.05
    valid = known.is_valid.to_numpy()
    false_valid = np.mean([code == 0 for code, v in zip(dor, valid, strict=True) if not v])
    false_invalid = np.mean([code == 1 for code, v in zip(dor, valid, strict=True) if v])
    assert 0.01 < false_valid < 0.08
    assert 0.01 < false_invalid < 0.05
    disagree = [(d == 0) != (o in ("100", "300", "400", "500"))
                for d, o in zip(dor, own, strict=True) if d is not None and o]  # fmt: skip
    assert 0.005 < np.mean(disagree) < 0.06


def test_valid_prices_scatter_around_truth_and_invalid_ones_do_not(truth):
    plain = truth[(truth.reason == "arms_length")]
    error = np.log(plain.sale_price / plain.true_value)
    assert error.median() == pytest.approx(0, abs=0.01)
    assert error.std() == pytest.approx(0.075, abs=0.012)
    forced = truth[truth.reason == "foreclosure"]
    assert np.log(forced.sale_price / forced.true_value).median() < -0.2


def test_spring_and_summer_sell_dearer_and_more_often(truth):
    plain = truth[truth.reason == "arms_length"]
    month = plain.sale_date.dt.month
    error = np.log(plain.sale_price / plain.true_value)
    premium = error[month.isin([5, 6, 7])].mean() - error[month.isin([11, 12, 1])].mean()
    assert 0.005 < premium < 0.045
    assert month.isin([5, 6, 7]).sum() > 1.3 * month.isin([11, 12, 1]).sum()


def test_market_rises_fast_then_slowly(county):
    values = county.truth("property_values").to_pandas()
    total = values.groupby("value_date").market_value.sum()
    land = values.groupby("value_date").land_value.sum()
    growth = land.pct_change().dropna()
    assert growth.iloc[0] == pytest.approx(0.12, abs=0.01)
    assert all(0 <= step < 0.05 for step in growth.iloc[1:])
    assert total.is_monotonic_increasing


def test_assessed_values_have_neighborhood_errors_and_vertical_inequity(county):
    rows = np.array(county.rows(
        "select v.market, v.prop_id, v.hood_cd from property_val v where v.prop_val_yr = 2026 "
        "and v.sup_num = 0 and v.property_use_cd = '11' and v.imprv_val > 0 "
        "and v.hood_cd is not null"), dtype=object)  # fmt: skip
    truth = county.truth("property_values")
    truth = truth.filter(pc.equal(pc.year(truth["value_date"]), 2026)).to_pandas()
    true = truth.set_index("prop_id").market_value
    value = true.loc[rows[:, 1].astype(int)].to_numpy()
    log_ratio = np.log(rows[:, 0].astype(float) / value)
    hood = rows[:, 2]
    means = [
        log_ratio[hood == code].mean() for code in np.unique(hood) if (hood == code).sum() > 30
    ]
    assert np.std(means) > 0.02
    ordinary = np.abs(log_ratio) < 0.5
    slope = np.polyfit(np.log(value[ordinary]), log_ratio[ordinary], 1)[0]
    assert -0.06 < slope < -0.005


def test_layer_links_and_counts_are_bentons(county, layer):
    ids = {row[0] for row in county.rows("select prop_id from property")}
    numbers = {row[0] for row in county.rows("select trim(geo_id) from property")}
    by_id = layer.Prop_ID.isin(ids)
    by_number = layer.Parcel_ID.str.strip().isin(numbers)
    assert (by_id | by_number).mean() == pytest.approx(county.report.link_rate, abs=1e-4)
    assert (~by_id & by_number).sum() == len(county.traps["gis_number_only"])
    assert layer.Parcel_ID.isna().mean() == pytest.approx(301 / 80_076, abs=0.001)
    multi = layer.geom_type == "MultiPolygon"
    assert multi.mean() == pytest.approx(978 / 80_076, abs=0.001)
    assert layer[multi].geometry.count_geometries().eq(2).all()
    assert set(layer.OBJECTID[multi]) == {
        int(row["note"].split()[1]) for row in county.traps["multi_polygon"]
    }
    assert layer.Parcel_ID.dropna().str.strip().str.fullmatch(r"\d{15}").all()
    assert layer.Parcel_ID.dropna().str.strip().is_unique


def test_parcels_are_valid_inside_the_county_and_do_not_overlap(layer):
    assert layer.crs.to_epsg() == 4326
    assert layer.is_valid.all()
    west, south, east, north = layer.total_bounds
    assert -119.9 < west < east < -118.9
    assert 45.85 < south < north < 46.5
    shapes = layer.to_crs("EPSG:2927").geometry.to_numpy()
    one, other = shapely.STRtree(shapes).query(shapes, "overlaps")
    shared = shapely.area(shapely.intersection(shapes[one], shapes[other]))
    assert shared.max(initial=0) < 1


def test_layer_area_is_the_assessors_acreage(county, layer):
    acres = dict(county.rows("select prop_id, legal_acreage from property_val "
                             "where prop_val_yr = 2026 and sup_num = 0"))  # fmt: skip
    whole = layer[(layer.geom_type == "Polygon") & layer.Prop_ID.notna()]
    area = whole.to_crs("EPSG:2927").area / 43_560
    legal = whole.Prop_ID.map(acres)
    assert (area / legal).between(0.985, 1.015).all()


def test_acreage_percentiles(county):
    acres = np.array(county.rows("select size_acres from land_detail where prop_val_yr = 2026 "
                                 "and sup_num = 0 and sale_id = 0 and size_acres > 0"))  # fmt: skip
    p10, p25, p50, p75, p90 = np.percentile(acres, [10, 25, 50, 75, 90])
    assert (p10, p25, p50) == pytest.approx((0.146, 0.21, 0.30), rel=0.25)
    assert 0.8 < p75 < 1.6
    assert 5 < p90 < 10


def test_six_numbered_neighborhoods_and_cycles(county):
    rows = county.rows("select distinct hood_cd, cycle from neighborhood where hood_yr = 2026")
    assert all(len(code) == 6 and code.isdigit() for code, _ in rows)
    assert {cycle for _, cycle in rows} == {1, 2, 3, 4, 5, 6}
