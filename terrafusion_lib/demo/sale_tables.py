"""dbo.chg_of_owner, sale, chg_of_owner_prop_assoc: transfers as the county recorded them."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from terrafusion_lib.demo.buildings import CLASSES, Structure
from terrafusion_lib.demo.columns import (
    Ints,
    Table,
    digits,
    flag,
    join,
    moment,
    pick,
    take,
    where,
    year_of,
)  # fmt: skip
from terrafusion_lib.demo.county import County
from terrafusion_lib.demo.land_tables import LAND_TYPES, land_types
from terrafusion_lib.demo.sale_kinds import DEED_TYPES, DOR_CODES, SALE_KINDS
from terrafusion_lib.demo.sale_parties import sale_parties
from terrafusion_lib.demo.sales import FIRST_EXCISE
from terrafusion_lib.demo.snapshots import frozen_sales
from terrafusion_lib.demo.uses import CODES
from terrafusion_lib.demo.values import Layer, layer_values

UNKNOWN_DOR = "99"
EARLIER_VALUES = 0.93
"""Values of a year relative to the next, for years before the first value layer."""
_DOR = tuple(DOR_CODES)


def deeds(county: County) -> Ints:
    """Deed type of each transfer, as an index into DEED_TYPES."""
    at = {code: index for index, code in enumerate(DEED_TYPES)}
    width = max(len(kind.deeds) for kind in SALE_KINDS)
    table = np.array([[at[kind.deeds[i % len(kind.deeds)]] for i in range(width)]
                      for kind in SALE_KINDS])  # fmt: skip
    luck = county.rng("deeds").integers(0, width, len(county.sales.kind))
    return np.asarray(table[county.sales.kind, luck])


def chg_of_owner_table(county: County) -> Table:
    """dbo.chg_of_owner: the recorded deed."""
    sales, rng = county.sales, county.rng("chg_of_owner")
    seller, buyer = sale_parties(county)
    count = len(sales.kind)
    recorded = sales.date + rng.integers(1, 21, count)
    number = join(pa.array(year_of(recorded)).cast(pa.string()), "-", digits(sales.transfer, 6))
    return {
        "chg_of_owner_id": sales.transfer,
        "deed_type_cd": pick([code.ljust(10) for code in DEED_TYPES], deeds(county)),
        "deed_num": number, "deed_dt": moment(sales.date - rng.integers(0, 6, count)),
        "coo_sl_dt": moment(sales.date),
        "consideration": pc.utf8_rpad(pa.array(sales.price).cast(pa.string()), 20),
        "recorded_dt": moment(recorded), "excise_number": FIRST_EXCISE + np.arange(count),
        "grantor_cv": seller, "grantee_cv": buyer, "override_excise": 0,
    }  # fmt: skip


def sale_faults(county: County) -> dict[str, Ints]:
    """Rows of `Sales` by fault: a code of no code table, dates that are none."""
    names = ("bad_unknown_ratio_code", "bad_date_zero", "bad_date_sentinel")
    count = len(county.sales.kind)
    size = max(2, count // 2_500)
    chosen = county.rng("sale faults").choice(count, size * len(names), replace=False)
    return {name: np.sort(chosen[at :: len(names)]) for at, name in enumerate(names)}


def sale_dates(county: County) -> pa.Array:
    """sl_dt as recorded: a few zero or sentinel dates among them."""
    faults, rows = sale_faults(county), np.arange(len(county.sales.kind))
    text = moment(county.sales.date)
    text = where(~np.isin(rows, faults["bad_date_zero"]), text, "0000-00-00 00:00:00")
    sentinel = pick(("1753-01-01 00:00:00", "1900-01-01 00:00:00"), rows % 2)
    return where(~np.isin(rows, faults["bad_date_sentinel"]), text, sentinel)


def dor_codes(county: County) -> pa.Array:
    """sl_ratio_type_cd, space-padded; null where missing."""
    sales = county.sales
    right = np.array([_DOR.index(kind.dor) for kind in SALE_KINDS])[sales.kind]
    code = np.select(
        [sales.codes.dor == 1, sales.codes.dor == 2], [0, _DOR.index("27")], right)  # fmt: skip
    code = np.where(sales.codes.dor == -1, len(_DOR), code)
    code[sale_faults(county)["bad_unknown_ratio_code"]] = len(_DOR) + 1
    return pick([*(word.ljust(5) for word in _DOR), None, UNKNOWN_DOR.ljust(5)], code)


def county_codes(county: County) -> pa.Array:
    """sl_county_ratio_cd; the codes of before 2018 on old sales; null where missing."""
    sales = county.sales
    words = ["100", "200", "300", "400", "500", "0", "9", "27", None]
    right = np.array([words.index(kind.county) for kind in SALE_KINDS])[sales.kind]
    right = np.where((right == 0) & sales.land_only, 2, right)
    code = np.select([sales.codes.county == 1, sales.codes.county == 2], [0, 1], right)
    quit_claim = np.array([kind.dor == "09" for kind in SALE_KINDS])[sales.kind]
    code = np.where(sales.legacy, np.select([code == 1], [np.where(quit_claim, 6, 7)], 5), code)
    return pick(words, np.where(sales.codes.county == -1, 8, code))


def sale_table(county: County) -> Table:
    """dbo.sale: price, validity codes and the property as it was on the day."""
    sales, rng, p, b = county.sales, county.rng("sale"), county.properties, county.buildings
    row, count = sales.primary, len(sales.kind)
    standing = (b["structure"][row] > 0) & ~sales.land_only
    frozen = np.isin(np.arange(count), frozen_sales(county).sale)
    adjusted = (sales.personal > 0) | (rng.random(count) < 0.25)
    wac_words = sorted({word for kind in SALE_KINDS for word in kind.wac if word})
    wac = np.array([[wac_words.index(w) if (w := kind.wac[i % len(kind.wac)]) else len(wac_words)
                     for i in range(6)] for kind in SALE_KINDS])  # fmt: skip
    area = np.round(b["area"][row] * sales.area_share)
    quality = [str(code).ljust(10) for code in CLASSES]
    return {
        "chg_of_owner_id": sales.transfer, "sl_ratio_type_cd": dor_codes(county),
        "sl_type_cd": pick(("I    ", "V    "), sales.land_only.astype(np.int64)),
        "sl_state_cd": "WA   ",
        "sl_class_cd": where(standing, pick(quality, np.searchsorted(CLASSES, b["quality"][row]
                                                                     .clip(10)))),
        "sl_land_type_cd": pick([code.ljust(10) for code in LAND_TYPES], land_types(county)[row]),
        "sl_price": sales.price, "sl_dt": sale_dates(county),
        "adjusted_sl_price": where(adjusted, sales.price - sales.personal),
        "sl_adj_rsn": where(sales.personal > 0, "PERSONAL PROPERTY"),
        "sl_yr_blt": where(standing, b["built"][row]), "sl_living_area": where(standing, area),
        "sl_land_sqft": p["sqft"][row], "sl_land_acres": p["acres"][row],
        "sl_imprv_type_cd": where(standing, pick(("R", "MHOME", "C"), np.maximum(
            b["structure"][row] - Structure.HOUSE, 0))),
        "confidential_sale": "F", "frozen_characteristics": flag(frozen),
        "num_days_on_market": where(rng.random(count) < 0.5, rng.integers(1, 120, count)),
        "land_only_sale": sales.land_only,
        "continue_current_use": county.values.current_use[row] & (rng.random(count) < 0.9),
        "sl_county_ratio_cd": county_codes(county),
        "primary_use_cd": pick([code or None for code in CODES], p["use"][row]),
        "pers_prop_val": where(sales.personal > 0, sales.personal),
        "wac_cd": pick([*wac_words, None], wac[sales.kind, rng.integers(0, 6, count)]),
    }  # fmt: skip


def chg_of_owner_prop_assoc_table(county: County) -> Table:
    """dbo.chg_of_owner_prop_assoc: every parcel of every transfer, with its roll value then."""
    sales, p = county.sales, county.properties
    created = p["created"][sales.parcel]
    tax_year = np.maximum(year_of(sales.date)[sales.parcel_sale], created)
    parcels = np.bincount(sales.parcel_sale)
    first = np.repeat(np.cumsum(parcels) - parcels, parcels)
    sequence = np.arange(len(sales.parcel)) - first
    several = parcels[sales.parcel_sale] > 1
    unmarked = several & (sales.transfer[sales.parcel_sale] % 5 == 0)
    order = np.lexsort((p["prop_id"][sales.parcel], sales.parcel_sale))
    return take(
        {
            "chg_of_owner_id": sales.transfer[sales.parcel_sale],
            "prop_id": p["prop_id"][sales.parcel], "seq_num": sequence, "sup_tax_yr": tax_year,
            **_values_then(county, sales.parcel, tax_year),
            "bPrimary": where(~unmarked, (sequence == 0).astype(np.int64)),
        },
        order,
    )  # fmt: skip


def _values_then(county: County, rows: Ints, years: Ints) -> Table:
    """Roll values of `rows` in `years`; before the first value year they shrink with time."""
    names = {"imprv_hstd_val": "imprv_hs", "imprv_non_hstd_val": "imprv_nhs",
             "land_hstd_val": "land_hs", "land_non_hstd_val": "land_nhs", "ag_use_val": "ag_use",
             "ag_market": "ag_market", "appraised_val": "appraised", "assessed_val": "appraised",
             "market": "market"}  # fmt: skip
    found = {name: np.zeros(len(rows), dtype=np.int64) for name in names}
    none = np.zeros(len(county.properties["prop_id"]), dtype=np.int64)
    for year in np.unique(years):
        here = np.flatnonzero(years == year)
        known = max(int(year), county.values.years[0])
        shrink = np.full(len(here), EARLIER_VALUES ** (known - year))
        layer = Layer(known, 0, rows[here], shrink)
        roll = layer_values(county.values, layer, none)
        for name, source in names.items():
            found[name][here] = roll[source]
    return found
