"""The truth files: what everything is really worth, and which rows carry which trap."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from terrafusion_lib.demo.columns import Ints, day, pick
from terrafusion_lib.demo.county import County
from terrafusion_lib.demo.oddities import FAULTS
from terrafusion_lib.demo.parcel_layer import features, linked
from terrafusion_lib.demo.parcels import Kind
from terrafusion_lib.demo.property_tables import padded_rows
from terrafusion_lib.demo.sale_kinds import REASONS, SALE_KINDS
from terrafusion_lib.demo.sale_tables import sale_faults
from terrafusion_lib.demo.snapshots import frozen_sales

SAMPLE = 50
"""A trap that nearly every row carries is listed for this many of them."""

TRAP_SCHEMA = pa.schema([
    ("trap", pa.string()), ("table_name", pa.string()), ("prop_id", pa.int64()),
    ("chg_of_owner_id", pa.int64()), ("note", pa.string()),
])  # fmt: skip


def write_truth(county: County, folder: Path) -> None:
    """Write ``property_values``, ``sales`` and ``traps`` (Parquet) below `folder`."""
    folder.mkdir(parents=True)
    tables = {
        "property_values": property_truth(county),
        "sales": sale_truth(county),
        "traps": trap_table(county),
    }
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet", compression="zstd")


def traps(out_dir: Path) -> dict[str, list[dict[str, object]]]:
    """Rows of the trap table of a generated county, by trap."""
    found: dict[str, list[dict[str, object]]] = {}
    for row in pq.read_table(out_dir / "truth" / "traps.parquet").to_pylist():
        found.setdefault(str(row["trap"]), []).append(row)
    return found


def property_truth(county: County) -> pa.Table:
    """True market value of every property at every 1 January of the value years, dollars."""
    years, values = np.array(county.values.years), county.values
    count = len(county.properties["prop_id"])
    return pa.table({
        "prop_id": np.repeat(county.properties["prop_id"], len(years)),
        "value_date": np.tile(day(years), count),
        "land_value": values.true_land.ravel(),
        "improvement_value": values.true_improvement.ravel(),
        "market_value": (values.true_land + values.true_improvement).ravel(),
    })  # fmt: skip


def sale_truth(county: County) -> pa.Table:
    """True validity, its reason and the true value on the day, by sale."""
    sales = county.sales
    valid = np.array([kind.valid for kind in SALE_KINDS])[sales.kind]
    return pa.table({
        "chg_of_owner_id": sales.transfer,
        "prop_id": county.properties["prop_id"][sales.primary],
        "sale_date": sales.date, "sale_price": sales.price,
        "is_valid": valid, "reason": pick(REASONS, sales.kind),
        "is_land_only": sales.land_only, "true_value": sales.true_value,
        "parcel_count": np.bincount(sales.parcel_sale),
    })  # fmt: skip


def trap_table(county: County) -> pa.Table:
    """All traps: name, table, property and sale that carry it, and a note."""
    ids = county.properties["prop_id"]
    parts = [
        _rows(trap, table, note, ids[rows]) for trap, table, rows, note in _property_traps(county)
    ]
    parts += [
        _rows(trap, "sale", note, ids[county.sales.primary[rows]], county.sales.transfer[rows])
        for trap, rows, note in _sale_traps(county)
    ]
    return pa.concat_tables([*parts, _frozen(county), *_layer_traps(county)])


def _rows(
    trap: str, table: str, note: object, prop_id: Ints | pa.Array, sale: Ints | None = None
) -> pa.Table:
    count = len(prop_id)
    notes = note if isinstance(note, pa.Array) else pa.repeat(pa.scalar(str(note)), count)
    return pa.table(
        [
            pa.repeat(pa.scalar(trap), count),
            pa.repeat(pa.scalar(table), count),
            pa.array(prop_id, pa.int64()),
            pa.nulls(count, pa.int64()) if sale is None else pa.array(sale),
            notes,
        ],
        schema=TRAP_SCHEMA,
    )


def _property_traps(county: County) -> Iterator[tuple[str, str, Ints, str]]:
    p, odd = county.properties, county.odd
    kinds = {
        "udi_parent": (Kind.UDI_PARENT, "udi_parent T; every other one is inactive"),
        "udi_child": (Kind.UDI_CHILD, "udi_parent_prop_id set; a third of its parent's value"),
        "inactive": (Kind.INACTIVE, "prop_inactive_dt set"),
        "inactive_1980": (Kind.INACTIVE_1980, "prop_inactive_dt 1980-01-01"),
        "deleted_supplement": (Kind.DELETED, "the current supplement 1 has sup_action D"),
        "mh_on_leased_land": (Kind.LEASED_MH, "prop_type MH without land"),
    }
    for trap, (kind, note) in kinds.items():
        yield trap, "property_val", np.flatnonzero(p["kind"] == kind), note
    yield ("superseded_supplement", "property_val", odd["superseded_supplement"],
           "supplement 0 is stale by a factor 0.8; supplement 2 counts")  # fmt: skip
    yield ("pending_supplement", "property_val", odd["pending_supplement"],
           "supplement 3 is higher than the current supplement 0")  # fmt: skip
    yield "two_owners", "owner", odd["two_owners"], "two owners of 50 percent"
    active = p["kind"] <= Kind.UDI_CHILD
    yield "year_zero", "property_val", np.flatnonzero(active)[:SAMPLE], "also in layer 0"
    yield "padded_geo_id", "property", np.flatnonzero(padded_rows(p)), "geo_id ends in spaces"
    yield ("padded_char_code", "property", np.flatnonzero(active)[:SAMPLE],
           "prop_type_cd is char(5)")  # fmt: skip
    yield ("situs_crlf", "situs", np.flatnonzero(active & (p["plat"] >= 0))[:SAMPLE],
           "situs_display holds CR LF")  # fmt: skip
    farms = np.flatnonzero(county.values.current_use & (p["kind"] == Kind.LAND))
    yield "current_use", "wash_prop_owner_val", farms, "taxable is the use value, not market"
    seniors = np.flatnonzero(county.values.senior)
    yield "senior_frozen", "wash_property_val", seniors, "snr_frz_* hold the frozen value"
    main = county.people.main_owner(len(p["prop_id"]))
    hidden = np.flatnonzero(county.people.confidential[main] & (p["kind"] == Kind.LAND))
    yield "confidential_owner", "account", hidden, "confidential_flag T"
    tables = {
        "bad_year_built_future": "imprv",
        "bad_living_area_zero": "imprv_detail",
        "bad_unknown_condition_code": "imprv_detail",
        "bad_mojibake_name": "account",
        "non_ascii_situs": "situs",
        "bad_negative_area": "land_detail",
    }
    for name in FAULTS:
        yield name, tables.get(name, "property_val"), odd[name], "a fault on purpose"


def _sale_traps(county: County) -> Iterator[tuple[str, Ints, str]]:
    sales = county.sales
    several = np.flatnonzero(np.bincount(sales.parcel_sale) > 1)
    yield "multi_parcel_sale", several, "more than one row of chg_of_owner_prop_assoc"
    yield "zero_price_sale", np.flatnonzero(sales.price == 0), "sl_price 0"
    quit_claim = [at for at, reason in enumerate(REASONS) if reason.startswith("quit_claim")]
    yield "quit_claim", np.flatnonzero(np.isin(sales.kind, quit_claim)), "deed type QCD"
    yield "legacy_ratio_code", np.flatnonzero(sales.legacy), "county code of before 2018"
    for name, rows in sale_faults(county).items():
        yield name, rows, "a fault on purpose"


def _frozen(county: County) -> pa.Table:
    frozen = frozen_sales(county)
    note = pc.binary_join_element_wise(
        "sale_id in layer ", pa.array(frozen.year).cast("string"), ""
    )
    return _rows("frozen_sale_detail", "imprv_detail", note,
                 county.properties["prop_id"][frozen.row],
                 county.sales.transfer[frozen.sale])  # fmt: skip


def _layer_traps(county: County) -> Iterator[pa.Table]:
    f = features(county)
    ids = np.append(county.properties["prop_id"], 0)
    unlinked = ~linked(f)
    for trap, mask in (
        ("gis_null_parcel_id", f["null_id"]),
        ("multi_polygon", f["multi"]),
        ("gis_unlinked", unlinked),
        ("gis_number_only", f["number_only"]),
    ):
        at = np.flatnonzero(mask)
        note = pc.binary_join_element_wise("OBJECTID ", pa.array(at + 1).cast(pa.string()), "")
        prop_id = pa.array(ids[f["row"][at]], mask=f["row"][at] < 0)
        yield _rows(trap, "parcels", note, prop_id)
