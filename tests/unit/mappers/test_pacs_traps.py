"""Every trap of PACS, by name: the demo county sets it, Benton's mapping must not fall into it.

The truth file says which rows carry a trap; what is right is computed here from the source tables
with plain SQL, apart from the mapping.
"""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq
import pytest

from terrafusion_lib.connectors.raw.layer import extract
from terrafusion_lib.core.clock import utc_now
from terrafusion_lib.core.county import load_county
from terrafusion_lib.core.progress import silent
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.demo.generate import generate
from terrafusion_lib.mappers.mapping import load_mapping
from terrafusion_lib.mappers.run import map_tables
from tests.support.require import ROOT

YEAR = 2026


@dataclass(frozen=True)
class Mapped:
    """The small demo county: its source, its traps and what the mapping made of it."""

    source: sqlite3.Connection
    traps: list[dict[str, Any]]
    tables: dict[str, list[dict[str, Any]]]
    filtered: list[dict[str, Any]]

    def carriers(self, trap: str, column: str = "prop_id") -> list[str]:
        found = [str(row[column]) for row in self.traps if row["trap"] == trap]
        assert found, trap
        return found

    def one(self, prop_id: str) -> dict[str, Any] | None:
        rows = [
            row for row in self.tables["properties_operational"] if row["property_id"] == prop_id
        ]
        assert len(rows) <= 1
        return rows[0] if rows else None

    def on_roll(self, trap: str) -> list[dict[str, Any]]:
        rows = [row for prop_id in self.carriers(trap) if (row := self.one(prop_id))]
        assert rows, trap
        return rows

    def reasons(self, prop_id: str) -> set[str]:
        return {row["reason"] for row in self.filtered if row["property_id"] == prop_id}

    def sum(self, query: str, *values: object) -> float:
        return float(self.source.execute(query, values).fetchone()[0] or 0)

    def supplement(self, prop_id: str) -> int:
        return int(
            self.sum(
                "SELECT sup_num FROM prop_supp_assoc WHERE owner_tax_yr = ? AND prop_id = ?",
                YEAR,
                prop_id,
            )
        )


@pytest.fixture(scope="module")
def mapped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapped]:
    folder = tmp_path_factory.mktemp("traps")
    settings = Settings(root=ROOT, data_dir=folder)
    generate(folder / "demo_wa", parcels=600)
    county = load_county("demo_wa", settings)
    mapping = load_mapping(county.mapping)
    raw, _ = extract(
        county,
        mapping.source_tables(),
        list(range(YEAR - 4, YEAR + 1)),
        settings=settings,
        clock=utc_now,
        progress=silent,
    )
    out = folder / "canonical"
    out.mkdir()
    result = map_tables(
        mapping,
        raw,
        out,
        county_id="demo_wa",
        assessment_year=YEAR,
        crs=county.crs,
        settings=settings,
    )
    for name, table in result.tables.items():
        assert table.read == sum(table.filtered.values()) + table.mapped, name
    tables = {name: pq.read_table(out / f"{name}.parquet").to_pylist() for name in result.tables}
    filtered = pq.read_table(out / "filtered" / "properties_operational.parquet").to_pylist()
    traps = pq.read_table(folder / "demo_wa" / "truth" / "traps.parquet").to_pylist()
    with sqlite3.connect(folder / "demo_wa" / "source" / "pacs_oltp.sqlite") as source:
        yield Mapped(source, traps, tables, filtered)


def market_value(mapped: Mapped, prop_id: str) -> float:
    return mapped.sum(
        """SELECT sum(land_hstd_val + land_non_hstd_val + ag_market + ag_hs_market + timber_market
                      + timber_hs_market + imprv_hstd_val + imprv_non_hstd_val)
           FROM wash_prop_owner_val WHERE year = ? AND prop_id = ? AND sup_num = ?""",
        YEAR,
        prop_id,
        mapped.supplement(prop_id),
    )


def living_area(mapped: Mapped, prop_id: str) -> float:
    return mapped.sum(
        """SELECT sum(d.imprv_det_area) FROM imprv_detail d JOIN imprv_det_type t
           ON trim(t.imprv_det_type_cd) = trim(d.imprv_det_type_cd)
           WHERE d.prop_val_yr = ? AND d.prop_id = ? AND d.sup_num = ? AND d.sale_id = 0
           AND t.main_area = 'T'""",
        YEAR,
        prop_id,
        mapped.supplement(prop_id),
    )


def test_superseded_supplement(mapped: Mapped) -> None:
    for row in mapped.on_roll("superseded_supplement"):
        prop_id = row["property_id"]
        assert row["source_sup_num"] == mapped.supplement(prop_id) == 2
        assert row["current_market_value"] == market_value(mapped, prop_id)
        assert (row["building_area_sqft"] or 0) == living_area(mapped, prop_id)


def test_deleted_supplement(mapped: Mapped) -> None:
    for prop_id in mapped.carriers("deleted_supplement"):
        assert mapped.one(prop_id) is None
        assert mapped.reasons(prop_id) == {"deleted by a supplement"}


def test_pending_supplement(mapped: Mapped) -> None:
    for row in mapped.on_roll("pending_supplement"):
        assert row["source_sup_num"] == 0


def test_year_zero(mapped: Mapped) -> None:
    assert mapped.on_roll("year_zero")
    assert {row["source_year"] for row in mapped.tables["properties_operational"]} == {YEAR}
    assert 0 not in {row["assessment_year"] for row in mapped.tables["values_history"]}


def test_frozen_sale_detail(mapped: Mapped) -> None:
    for row in mapped.on_roll("frozen_sale_detail"):
        assert (row["building_area_sqft"] or 0) == living_area(mapped, row["property_id"])


def test_two_owners(mapped: Mapped) -> None:
    for row in mapped.on_roll("two_owners"):
        prop_id = row["property_id"]
        assert row["current_market_value"] == market_value(mapped, prop_id)
        names = mapped.source.execute(
            """SELECT a.file_as_name FROM owner o JOIN account a ON a.acct_id = o.owner_id
               WHERE o.owner_tax_yr = ? AND o.prop_id = ? AND o.sup_num = ?
               ORDER BY o.pct_ownership DESC, o.owner_id""",
            (YEAR, prop_id, mapped.supplement(prop_id)),
        ).fetchall()
        assert len(names) == 2
        assert row["owner_name"] in (names[0][0].strip(), "CONFIDENTIAL")


def test_udi_parent(mapped: Mapped) -> None:
    assert len(mapped.on_roll("udi_parent")) == len(mapped.carriers("udi_parent"))


def test_udi_child(mapped: Mapped) -> None:
    for prop_id in mapped.carriers("udi_child"):
        assert mapped.one(prop_id) is None
        assert any("undivided" in reason for reason in mapped.reasons(prop_id))


def test_multi_parcel_sale(mapped: Mapped) -> None:
    for sale_id in set(mapped.carriers("multi_parcel_sale", "chg_of_owner_id")):
        rows = [row for row in mapped.tables["sales"] if row["sale_id"] == sale_id]
        assert rows
        assert {row["parcel_count"] for row in rows} == {len(rows)}
        assert sum(row["is_primary_parcel"] for row in rows) == 1
        parts = [row["parcel_market_value"] for row in rows]
        if all(part is not None for part in parts):
            assert {row["total_market_value"] for row in rows} == {sum(parts)}


def test_zero_price_sale(mapped: Mapped) -> None:
    sale_ids = set(mapped.carriers("zero_price_sale", "chg_of_owner_id"))
    rows = [row for row in mapped.tables["sales"] if row["sale_id"] in sale_ids]
    assert len({row["sale_id"] for row in rows}) == len(sale_ids)
    assert all(row["sale_price"] == 0 for row in rows)
    latest = {row["last_sale_id"] for row in mapped.tables["properties_operational"]}
    assert not latest & sale_ids


def test_quit_claim(mapped: Mapped) -> None:
    sale_ids = set(mapped.carriers("quit_claim", "chg_of_owner_id"))
    rows = [row for row in mapped.tables["sales"] if row["sale_id"] in sale_ids]
    assert {row["deed_type"] for row in rows} == {"QCD"}


def test_padded_geo_id(mapped: Mapped) -> None:
    for row in mapped.on_roll("padded_geo_id"):
        padded = mapped.source.execute(
            "SELECT geo_id FROM property WHERE prop_id = ?", (row["property_id"],)
        ).fetchone()[0]
        assert padded != padded.strip()
        assert row["parcel_number"] == padded.strip()


def test_padded_char_code(mapped: Mapped) -> None:
    assert mapped.on_roll("padded_char_code")
    for rows in mapped.tables.values():
        for row in rows:
            for name, value in row.items():
                if name.endswith(("_code", "_type", "_class")) and isinstance(value, str):
                    assert value == value.strip(), (name, value)


def test_situs_crlf(mapped: Mapped) -> None:
    for row in mapped.on_roll("situs_crlf"):
        assert "\r" not in row["situs_address"]
        assert "\n" not in row["situs_address"]
        assert ", " in row["situs_address"]


def test_inactive_1980(mapped: Mapped) -> None:
    for prop_id in mapped.carriers("inactive_1980"):
        assert mapped.one(prop_id) is None
        assert any("1980" in reason for reason in mapped.reasons(prop_id))


def test_inactive(mapped: Mapped) -> None:
    for prop_id in mapped.carriers("inactive"):
        assert mapped.one(prop_id) is None
        assert mapped.reasons(prop_id) == {"inactive"}


def test_mh_on_leased_land(mapped: Mapped) -> None:
    for row in mapped.on_roll("mh_on_leased_land"):
        assert row["property_type"] == "manufactured_home"
        assert not row["land_value"]
        assert row["improvement_value"] > 0


def test_current_use(mapped: Mapped) -> None:
    for row in mapped.on_roll("current_use"):
        assert row["current_use_value"] is not None
        assert row["current_market_value"] == market_value(mapped, row["property_id"])
        assert row["assessed_value"] < row["current_market_value"]


def test_senior_frozen(mapped: Mapped) -> None:
    for row in mapped.on_roll("senior_frozen"):
        assert row["senior_frozen_value"] > 0
        assert row["taxable_value"] < row["current_market_value"]


def test_gis_null_parcel_id(mapped: Mapped) -> None:
    shapes = mapped.tables["parcels_geometry"]
    unlinked = [row for row in shapes if row["link_method"] == "unlinked"]
    assert any(row["parcel_number"] is None for row in unlinked)
    assert all(row["property_id"] is None for row in unlinked)


def test_gis_number_only(mapped: Mapped) -> None:
    linked = {
        row["property_id"]
        for row in mapped.tables["parcels_geometry"]
        if row["link_method"] == "parcel_number"
    }
    on_roll = {row["property_id"] for row in mapped.on_roll("gis_number_only")}
    assert on_roll <= linked


def test_multi_polygon(mapped: Mapped) -> None:
    parts = {row["property_id"]: row["part_count"] for row in mapped.tables["parcels_geometry"]}
    carriers = [parts[prop_id] for prop_id in mapped.carriers("multi_polygon") if prop_id in parts]
    assert carriers
    assert all(count > 1 for count in carriers)


def test_confidential_owner(mapped: Mapped) -> None:
    for row in mapped.on_roll("confidential_owner"):
        assert row["owner_is_confidential"] is True
        assert row["owner_name"] == "CONFIDENTIAL"


def test_gis_unlinked(mapped: Mapped) -> None:
    marked = {
        row["note"].removeprefix("OBJECTID ")
        for row in mapped.traps
        if row["trap"] == "gis_unlinked"
    }
    found = {
        row["geometry_id"]
        for row in mapped.tables["parcels_geometry"]
        if row["link_method"] == "unlinked"
    }
    assert marked <= found


def test_personal_data_is_never_extracted() -> None:
    settings = Settings(root=ROOT)
    mapping = load_mapping(load_county("benton_wa", settings).mapping)
    asked = {column for table in mapping.source_tables().values() for column in table.columns}
    forbidden = {
        "prop_exmpt_dl_num",
        "prop_exmpt_ss_num",
        "birth_dt",
        "spouse_birth_dt",
        "combined_disp_income",
        "dl_num",
    }
    assert not asked & forbidden


def test_bedrooms_baths_and_attributes_come_from_the_principal_structure(mapped: Mapped) -> None:
    improved = [row for row in mapped.tables["properties_operational"] if row["bedrooms"]]
    assert len(improved) > 300
    assert all(
        row["bathrooms"] * 2 == int(row["bathrooms"] * 2) for row in improved if row["bathrooms"]
    )
    assert all(
        isinstance(json.loads(row["extended_attributes"]), dict)
        for row in improved
        if row["extended_attributes"]
    )
