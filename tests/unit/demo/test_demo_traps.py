"""Every trap of real PACS data is in the demo county, and its trap table says where."""

import pytest

CURRENT = """
    from property p
    join prop_supp_assoc a on a.prop_id = p.prop_id and a.owner_tax_yr = 2026
    join property_val v on v.prop_id = a.prop_id and v.prop_val_yr = a.owner_tax_yr
        and v.sup_num = a.sup_num
"""

HOLDS = {
    "superseded_supplement": f"select count(*) {CURRENT} where p.prop_id in {{keys}} "
    "and v.sup_num = 2 and exists (select 1 from property_val s where s.prop_id = p.prop_id "
    "and s.prop_val_yr = 2026 and s.sup_num = 0 and s.market < 0.85 * v.market)",
    "deleted_supplement": f"select count(*) {CURRENT} where p.prop_id in {{keys}} "
    "and v.sup_num = 1 and v.sup_action = 'D' and v.prop_inactive_dt is null",
    "pending_supplement": f"select count(*) {CURRENT} where p.prop_id in {{keys}} "
    "and v.sup_num = 0 and exists (select 1 from property_val s where s.prop_id = p.prop_id "
    "and s.prop_val_yr = 2026 and s.sup_num = 3)",
    "year_zero": "select count(distinct prop_id) from property_val where prop_val_yr = 0 "
    "and prop_id in {keys}",
    "two_owners": "select count(*) from (select prop_id from owner where owner_tax_yr = 2026 "
    "and sup_num = 0 and pct_ownership = 50 and prop_id in {keys} group by 1 having count(*) = 2)",
    "udi_parent": f"select count(*) {CURRENT} where v.udi_parent = 'T' and p.prop_id in {{keys}}",
    "udi_child": f"select count(*) {CURRENT} where p.prop_id in {{keys}} and "
    "v.udi_parent_prop_id in (select prop_id from property_val where udi_parent = 'T')",
    "padded_geo_id": "select count(*) from property where geo_id <> trim(geo_id) "
    "and trim(geo_id) = simple_geo_id and prop_id in {keys}",
    "padded_char_code": "select count(*) from property where length(prop_type_cd) = 5 "
    "and prop_id in {keys}",
    "situs_crlf": "select count(distinct prop_id) from situs "
    "where instr(situs_display, char(13) || char(10)) > 0 and prop_id in {keys}",
    "inactive_1980": f"select count(*) {CURRENT} where p.prop_id in {{keys}} "
    "and v.prop_inactive_dt = '1980-01-01 00:00:00'",
    "inactive": f"select count(*) {CURRENT} where v.prop_inactive_dt > '2000' "
    "and p.prop_id in {keys}",
    "mh_on_leased_land": f"select count(*) {CURRENT} where p.prop_id in {{keys}} "
    "and p.prop_type_cd = 'MH   ' and v.legal_acreage = 0 and v.imprv_val > 0 "
    "and p.prop_id not in (select prop_id from land_detail)",
    "current_use": "select count(*) from (select prop_id from wash_prop_owner_val "
    "where year = 2026 and sup_num = 0 and ag_market > ag_use_val and appraised < market "
    "and taxable_classified = ag_use_val and prop_id in {keys} group by 1)",
    "confidential_owner": "select count(distinct o.prop_id) from owner o join account c "
    "on c.acct_id = o.owner_id where c.confidential_flag = 'T' and o.prop_id in {keys}",
    "bad_year_built_future": "select count(distinct prop_id) from imprv "
    "where actual_year_built > 2027 and prop_id in {keys}",
    "bad_living_area_zero": "select count(distinct prop_id) from property_profile "
    "where prop_val_yr = 2026 and living_area = 0 and num_imprv > 0 and prop_id in {keys}",
    "bad_unknown_use_code": f"select count(*) {CURRENT} where p.prop_id in {{keys}} and "
    "v.property_use_cd not in (select property_use_cd from property_use)",
    "bad_unknown_condition_code": "select count(distinct prop_id) from imprv_detail "
    "where condition_cd not in (select condition_cd from condition) and prop_id in {keys}",
    "bad_mojibake_name": "select count(distinct o.prop_id) from owner o join account c "
    "on c.acct_id = o.owner_id where c.file_as_name like '%Ã%' and o.prop_id in {keys}",
    "non_ascii_situs": "select count(distinct prop_id) from situs "
    "where situs_street = 'CAÑADA VIEJA' and prop_id in {keys}",
    "bad_negative_area": "select count(distinct prop_id) from land_detail where size_acres < 0 "
    "and size_square_feet < 0 and prop_val_yr = 2026 and prop_id in {keys}",
    "bad_missing_hood": f"select count(*) {CURRENT} where v.hood_cd is null "
    "and p.prop_id in {keys}",
    "value_jump": f"select count(*) {CURRENT} join property_val b on b.prop_id = p.prop_id "
    "and b.prop_val_yr = 2025 and b.sup_num = 0 where v.market > 3 * b.market "
    "and p.prop_id in {keys}",
}

SALE_HOLDS = {
    "multi_parcel_sale": "select count(*) from (select 1 from chg_of_owner_prop_assoc "
    "where chg_of_owner_id in {keys} group by chg_of_owner_id having count(*) > 1)",
    "zero_price_sale": "select count(*) from sale where sl_price = 0 and chg_of_owner_id in {keys}",
    "quit_claim": "select count(*) from chg_of_owner where deed_type_cd = 'QCD       ' "
    "and chg_of_owner_id in {keys}",
    "legacy_ratio_code": "select count(*) from sale where sl_dt < '2018-01-01' "
    "and coalesce(sl_county_ratio_cd, '0') in ('0', '9', '27') and chg_of_owner_id in {keys}",
    "bad_unknown_ratio_code": "select count(*) from sale where sl_ratio_type_cd not in "
    "(select sl_ratio_type_cd from sale_ratio_type) and chg_of_owner_id in {keys}",
}


@pytest.mark.parametrize("trap", HOLDS)
def test_trap_is_where_the_trap_table_says(demo, trap):
    keys = {row["prop_id"] for row in demo.traps[trap]}
    assert keys
    assert demo.one(HOLDS[trap].format(keys=demo.trapped(trap))) == len(keys)


@pytest.mark.parametrize("trap", SALE_HOLDS)
def test_sale_trap_is_where_the_trap_table_says(demo, trap):
    keys = demo.trapped(trap, "chg_of_owner_id")
    assert demo.traps[trap]
    assert demo.one(SALE_HOLDS[trap].format(keys=keys)) == len(demo.traps[trap])


def test_frozen_sale_detail_differs_from_the_live_record(demo):
    """A frozen snapshot has sale_id = chg_of_owner_id; summing without a filter counts twice."""
    for row in demo.traps["frozen_sale_detail"]:
        found = demo.one(
            "select count(*) from land_detail where prop_id = ? and sale_id = ?",
            row["prop_id"], row["chg_of_owner_id"],
        )  # fmt: skip
        assert found or demo.one(
            "select count(*) from imprv_detail where prop_id = ? and sale_id = ?",
            row["prop_id"], row["chg_of_owner_id"],
        )  # fmt: skip
    assert demo.one("select count(*) from imprv_detail where sale_id <> 0") > 0
    marked = demo.one("select count(*) from sale where frozen_characteristics = 'T'")
    assert marked == len({row["chg_of_owner_id"] for row in demo.traps["frozen_sale_detail"]})


def test_senior_frozen_value_is_not_above_the_appraised_value(demo):
    keys = demo.trapped("senior_frozen")
    rows = demo.rows(
        "select sum(o.snr_frz_imprv_hs + o.snr_frz_land_hs), v.market, "
        "sum(o.taxable_non_classified), w.snr_frz_imprv_hs + w.snr_frz_land_hs "
        "from wash_property_val w join property_val v using (prop_val_yr, sup_num, prop_id) "
        "join wash_prop_owner_val o on o.year = v.prop_val_yr and o.sup_num = v.sup_num "
        "and o.prop_id = v.prop_id where v.prop_val_yr = 2026 and v.sup_num = 0 "
        f"and v.prop_id in {keys} group by v.prop_id"
    )
    assert rows
    assert all(0 < frozen <= market and taxable < frozen for frozen, market, taxable, _ in rows)
    assert all(by_owner == whole for by_owner, _, _, whole in rows)
    assert any(frozen < 0.9 * market for frozen, market, *_ in rows)


def test_dates_that_are_none_are_in_both_tables(demo):
    for date in ("0000-00-00 00:00:00", "1753-01-01 00:00:00", "1900-01-01 00:00:00"):
        assert demo.one("select count(*) from property_val where last_appraisal_dt = ?", date)
    assert demo.one("select count(*) from sale where sl_dt = '0000-00-00 00:00:00'") == 2
    assert demo.one("select count(*) from sale where sl_dt in ('1753-01-01 00:00:00', "
                    "'1900-01-01 00:00:00')") == 2  # fmt: skip
    tables = {row["table_name"] for row in demo.traps["bad_date_zero"]}
    assert tables == {"property_val", "sale"}


def test_half_of_the_udi_parents_are_inactive_and_children_share_the_value(demo):
    rows = demo.rows(
        "select v.prop_inactive_dt is null, v.market, (select sum(c.market) from property_val c "
        "where c.udi_parent_prop_id = v.prop_id and c.prop_val_yr = 2026 and c.sup_num = 0) "
        "from property_val v where v.udi_parent = 'T' and v.prop_val_yr = 2026 and v.sup_num = 0"
    )
    assert {active for active, _, _ in rows} == {0, 1}
    assert all(abs(parent - children) <= 60 for _, parent, children in rows)


@pytest.mark.slow
@pytest.mark.parametrize("parcels", [300, 1_000])
def test_every_trap_is_present_in_small_counties(tmp_path, parcels):
    from terrafusion_lib.demo.generate import generate
    from terrafusion_lib.demo.traps import traps

    generate(tmp_path, parcels=parcels, seed=7)
    found = traps(tmp_path)
    wanted = {*HOLDS, *SALE_HOLDS, "frozen_sale_detail", "senior_frozen", "bad_date_zero",
              "bad_date_sentinel", "gis_null_parcel_id", "multi_polygon", "gis_unlinked",
              "gis_number_only"}  # fmt: skip
    assert wanted == set(found)
    assert all(found.values())
