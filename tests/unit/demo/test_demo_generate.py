"""The generator: same rows for the same arguments, whole or not at all, true to PACS's schema."""

import hashlib
import re
import sqlite3
from pathlib import Path

import pytest

from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.demo import generate as module
from terrafusion_lib.demo.generate import generate, generated_parcels

PERSONAL = {
    "prop_exmpt_dl_num", "prop_exmpt_ss_num", "birth_dt", "spouse_birth_dt",
    "combined_disp_income", "dl_num",
}  # fmt: skip

REFERENCES = [
    ("prop_supp_assoc", "prop_id", "property", "prop_id"),
    ("prop_supp_assoc", "owner_tax_yr, sup_num, prop_id", "property_val",
     "prop_val_yr, sup_num, prop_id"),
    ("owner", "owner_id", "account", "acct_id"),
    ("owner", "owner_tax_yr, sup_num, prop_id", "property_val", "prop_val_yr, sup_num, prop_id"),
    ("address", "acct_id", "account", "acct_id"),
    ("situs", "prop_id", "property", "prop_id"),
    ("imprv", "prop_val_yr, sup_num, prop_id", "property_val", "prop_val_yr, sup_num, prop_id"),
    ("imprv", "imprv_type_cd", "imprv_type", "imprv_type_cd"),
    ("imprv_detail", "prop_val_yr, sup_num, sale_id, prop_id, imprv_id", "imprv",
     "prop_val_yr, sup_num, sale_id, prop_id, imprv_id"),
    ("imprv_detail", "imprv_det_type_cd", "imprv_det_type", "imprv_det_type_cd"),
    ("imprv_detail", "imprv_det_class_cd", "imprv_det_class", "imprv_det_class_cd"),
    ("imprv_attr", "prop_val_yr, sup_num, sale_id, prop_id, imprv_id, imprv_det_id",
     "imprv_detail", "prop_val_yr, sup_num, sale_id, prop_id, imprv_id, imprv_det_id"),
    ("imprv_attr", "i_attr_val_id, i_attr_val_cd", "attribute_val",
     "imprv_attr_id, imprv_attr_val_cd"),
    ("land_detail", "prop_val_yr, sup_num, prop_id", "property_val",
     "prop_val_yr, sup_num, prop_id"),
    ("land_detail", "land_type_cd", "land_type", "land_type_cd"),
    ("sale", "chg_of_owner_id", "chg_of_owner", "chg_of_owner_id"),
    ("chg_of_owner", "deed_type_cd", "deed_type", "deed_type_cd"),
    ("chg_of_owner_prop_assoc", "chg_of_owner_id", "sale", "chg_of_owner_id"),
    ("chg_of_owner_prop_assoc", "prop_id", "property", "prop_id"),
    ("wash_prop_owner_val", "year, sup_num, prop_id, owner_id", "owner",
     "owner_tax_yr, sup_num, prop_id, owner_id"),
    ("wash_prop_owner_exemption", "exmpt_type_cd", "exmpt_type", "exmpt_type_cd"),
    ("property_tax_area", "tax_area_id", "tax_area", "tax_area_id"),
    ("property_use", "dor_use_code", "dor_use_code", "sub_cd"),
    ("dor_use_code", "land_use_cd", "dor_land_use_code", "code"),
    ("prop_building_permit_assoc", "bldg_permit_id", "building_permit", "bldg_permit_id"),
    ("prop_building_permit_assoc", "prop_id", "property", "prop_id"),
    ("supplement", "sup_group_id", "sup_group", "sup_group_id"),
]  # fmt: skip


def tables(path: Path) -> dict[str, str]:
    """Hash of every row of every table."""
    with sqlite3.connect(path) as database:
        names = [row[0] for row in database.execute(
            "select name from sqlite_master where type = 'table' and name not like 'sqlite_%' "
            "order by 1")]  # fmt: skip
        hashes = {}
        for name in names:
            digest = hashlib.sha256()
            for row in database.execute(f"select * from {name}"):
                digest.update(repr(row).encode())
            hashes[name] = digest.hexdigest()
    database.close()
    return hashes


@pytest.mark.slow
def test_same_arguments_give_the_same_rows_and_files(tmp_path):
    for name in ("first", "second"):
        generate(tmp_path / name, parcels=300, seed=11)
    first, second = (tmp_path / name for name in ("first", "second"))
    assert tables(first / "source/pacs_oltp.sqlite") == tables(second / "source/pacs_oltp.sqlite")
    for file in ("source/parcels.parquet", "truth/sales.parquet", "truth/property_values.parquet",
                 "truth/traps.parquet"):  # fmt: skip
        assert (first / file).read_bytes() == (second / file).read_bytes(), file


@pytest.mark.slow
def test_another_seed_gives_another_county(tmp_path, demo):
    generate(tmp_path, parcels=600, seed=12)
    ours = tables(tmp_path / "source/pacs_oltp.sqlite")
    theirs = tables(demo.folder / "source/pacs_oltp.sqlite")
    assert {name for name in ours if ours[name] == theirs[name]}.isdisjoint(
        {"property", "property_val", "imprv", "sale", "land_detail", "account"}
    )


def test_active_roll_has_exactly_the_parcels_asked_for(demo):
    """Real and manufactured homes, active or a UDI parent, no UDI child, not deleted."""
    assert demo.report.parcels == demo.one(
        "select count(*) from property p join prop_supp_assoc a on a.prop_id = p.prop_id "
        "and a.owner_tax_yr = 2026 join property_val v on v.prop_id = a.prop_id "
        "and v.prop_val_yr = 2026 and v.sup_num = a.sup_num "
        "where p.prop_type_cd in ('R    ', 'MH   ') and v.udi_parent_prop_id is null "
        "and (v.prop_inactive_dt is null or v.udi_parent = 'T') "
        "and coalesce(v.sup_action, '') <> 'D'"
    )


def test_types_and_keys_are_those_of_the_ddl(demo):
    columns = {row[1]: row[2] for row in demo.rows("pragma table_info(property_val)")}
    assert columns["prop_val_yr"] == "numeric(4)"
    assert columns["hood_cd"] == "varchar(10)"
    assert columns["appr_method"] == "char(5)"
    assert columns["prop_inactive_dt"] == "datetime"
    keys = {
        table: [r[1] for r in sorted(demo.rows(f"pragma table_info({table})"),
                                     key=lambda r: r[5]) if r[5]]
        for table in ("property_val", "imprv_attr", "chg_of_owner_prop_assoc", "neighborhood")
    }  # fmt: skip
    assert keys == {
        "property_val": ["prop_val_yr", "sup_num", "prop_id"],
        "imprv_attr": ["prop_val_yr", "sup_num", "sale_id", "prop_id", "imprv_id", "imprv_det_id",
                       "imprv_attr_id", "i_attr_val_id"],
        "chg_of_owner_prop_assoc": ["chg_of_owner_id", "prop_id"],
        "neighborhood": ["hood_cd", "hood_yr"],
    }  # fmt: skip


def test_text_fits_its_declared_type(demo):
    """char(n) is padded to n, varchar(n) is at most n long, as SQL Server would have it."""
    for (table,) in demo.rows("select name from sqlite_master where type = 'table' "
                              "and name not like 'sqlite_%'"):  # fmt: skip
        for column in demo.rows(f"pragma table_info({table})"):
            name, kind = column[1], column[2]
            found = re.fullmatch(r"(var)?char\((\d+)\)", kind)
            if found is None:
                continue
            test = ">" if found[1] else "<>"
            wrong = demo.rows(f"select distinct {name} from {table} "
                              f"where length({name}) {test} {found[2]} limit 3")  # fmt: skip
            assert not wrong, (table, name, kind)


def test_personal_columns_do_not_exist(demo):
    names = [row[0] for row in demo.rows("select name from sqlite_master where type = 'table'")]
    for name in names:
        assert not PERSONAL & {row[1] for row in demo.rows(f"pragma table_info({name})")}


@pytest.mark.parametrize(("child", "columns", "parent", "keys"), REFERENCES)
def test_references_hold(demo, child, columns, parent, keys):
    assert demo.one(f"select count(*) from {child}")
    present = " and ".join(f"{column} is not null" for column in columns.split(", "))
    assert (
        demo.one(
            f"select count(*) from {child} where {present} "
            f"and ({columns}) not in (select {keys} from {parent})"
        )
        == 0
    )


def test_year_layered_code_tables_cover_every_layer(demo):
    for table, code, year in (("neighborhood", "hood_cd", "hood_yr"),
                              ("abs_subdv", "abs_subdv_cd", "abs_subdv_yr")):  # fmt: skip
        assert (
            demo.one(
                f"select count(*) from property_val v left join {table} t on t.{code} = v.{code} "
                f"and t.{year} = v.prop_val_yr where v.{code} is not null and t.{code} is null"
            )
            == 0
        )


def test_one_current_supplement_per_year_and_property(demo):
    assert demo.one("select count(*) from (select 1 from prop_supp_assoc "
                         "group by owner_tax_yr, prop_id having count(*) > 1)") == 0  # fmt: skip
    years = {row[0] for row in demo.rows("select distinct owner_tax_yr from prop_supp_assoc")}
    assert years == {0, *range(2021, 2027)}


def test_owner_values_add_up_to_the_roll(demo):
    assert (
        demo.one(
            "select count(*) from property_val v join (select year, sup_num, prop_id, "
            "sum(market) market, sum(appraised_classified + appraised_non_classified) appraised, "
            "sum(land_hstd_val + land_non_hstd_val + ag_market + imprv_hstd_val "
            "+ imprv_non_hstd_val) parts from wash_prop_owner_val group by 1, 2, 3) w "
            "on w.year = v.prop_val_yr and w.sup_num = v.sup_num and w.prop_id = v.prop_id "
            "join property p on p.prop_id = v.prop_id where w.market <> v.market "
            "or w.appraised <> v.appraised_val "
            "or (p.prop_type_cd <> 'P    ' and w.parts <> w.market)"
        )
        == 0
    )


def test_segments_add_up_to_structures_and_profile(demo):
    assert (
        demo.one(
            "select count(*) from imprv i join (select prop_val_yr, sup_num, sale_id, imprv_id, "
            "sum(imprv_det_val) total from imprv_detail group by 1, 2, 3, 4) d "
            "using (prop_val_yr, sup_num, sale_id, imprv_id) where d.total <> i.imprv_val"
        )
        == 0
    )
    off = demo.one(
        "select max(abs(f.living_area - d.area)) from property_profile f join (select d.prop_id, "
        "d.sup_num, sum(imprv_det_area) area from imprv_detail d join imprv_det_type t "
        "using (imprv_det_type_cd) where t.main_area = 'T' and d.prop_val_yr = 2026 "
        "and d.sale_id = 0 group by 1, 2) d on d.prop_id = f.prop_id and d.sup_num = f.sup_num "
        "where f.prop_val_yr = 2026"
    )
    assert off <= 1


@pytest.mark.slow
def test_a_failure_leaves_the_earlier_county_and_a_new_one_replaces_it(tmp_path, monkeypatch):
    assert generated_parcels(tmp_path) is None
    generate(tmp_path, parcels=300)
    before = tables(tmp_path / "source/pacs_oltp.sqlite")

    def fail(*_: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="disk full"):
        patch.setattr(module, "write_truth", fail)
        generate(tmp_path, parcels=310)
    assert tables(tmp_path / "source/pacs_oltp.sqlite") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source", "truth"]
    assert generated_parcels(tmp_path) == 300
    generate(tmp_path, parcels=320)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source", "truth"]
    assert generated_parcels(tmp_path) == 320


@pytest.mark.parametrize("options", [{"parcels": 299}, {"parcels": 10**6}, {"year": 1999}])
def test_sizes_and_years_out_of_range_are_refused(tmp_path, options):
    with pytest.raises(ConfigError):
        generate(tmp_path, **options)


@pytest.mark.slow
def test_another_appraisal_year_moves_everything(tmp_path):
    generate(tmp_path, parcels=300, year=2031)
    with sqlite3.connect(tmp_path / "source/pacs_oltp.sqlite") as database:
        years = database.execute("select appr_yr, tax_yr, future_yr from pacs_system").fetchone()
        newest = database.execute("select max(sl_dt) from sale").fetchone()[0]
        layer = database.execute("select max(prop_val_yr) from property_val").fetchone()[0]
    assert years == (2031, 2030, 2032)
    assert layer == 2031
    assert "2030-05-01" < newest < "2031-05-01"
    database.close()
