"""Code tables: every code that the county's rows use (except the few that are wrong)."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from terrafusion_lib.demo.building_tables import (
    CONDITIONS,
    DETAIL_TYPES,
    EXTERIORS,
    FOUNDATIONS,
    HVAC,
    MAIN_AREAS,
    ROOFS,
)  # fmt: skip
from terrafusion_lib.demo.buildings import CLASSES
from terrafusion_lib.demo.columns import Ints, Table
from terrafusion_lib.demo.county import County
from terrafusion_lib.demo.land_tables import LAND_TYPES
from terrafusion_lib.demo.places import TAX_AREA_RATES
from terrafusion_lib.demo.property_tables import tax_area_ids
from terrafusion_lib.demo.sale_kinds import COUNTY_CODES, DEED_TYPES, DOR_CODES, WAC_CODES
from terrafusion_lib.demo.uses import USES

_FLAGS = {
    "single_family": "residential", "multi_family": "multifamily", "commercial": "commercial",
    "manufacturing": "industrial", "current_use": "current_use", "agricultural": "other",
    "other": "other",
}  # fmt: skip
_CATEGORIES = {"single_family": "SF", "multi_family": "MF", "manufacturing": "MFG",
               "commercial": "COM", "agricultural": "AG", "current_use": "CU",
               "other": "OTH"}  # fmt: skip
ATTRIBUTES = {
    2: ("Foundation", FOUNDATIONS), 3: ("Exterior wall", EXTERIORS), 6: ("Roof cover", ROOFS),
    9: ("HVAC", HVAC), 10: ("Fireplace", ("WOOD",)), 12: ("Sprinkler", ("WET", "DRY")),
    15: ("Bedrooms", tuple(str(number) for number in range(10))),
    31: ("Commercial HVAC", ("PACKAGE",)), 39: ("Frame", ("STEEL", "WOOD")),
    45: ("Bathrooms", ("FULL",)), 46: ("Half baths", ("HALF",)), 47: ("Fixtures", ("FIXTURE",)),
    51: ("Shape", ("SQUARE",)), 56: ("Elevators", ("PASSENGER",)), 58: ("Subjects", ("UNITS",)),
    67: ("Solar", ("PANEL",)),
}  # fmt: skip
"""Attribute ids of Benton, their meaning and values."""


def padded(codes: dict[str, str], width: int) -> list[tuple[str, str]]:
    """Codes padded to their char(n) width, with descriptions, sorted."""
    return [(code.ljust(width), text) for code, text in sorted(codes.items())]


def code_tables(county: County) -> Iterator[tuple[str, Table]]:
    """All code tables as (name, rows)."""
    yield from _use_codes()
    yield from _improvement_codes()
    yield from _sale_codes()
    yield from _roll_codes()
    yield "neighborhood", _neighborhoods(county)
    yield "abs_subdv", _subdivisions(county)


def _columns(names: str, rows: list[tuple[object, ...]]) -> Table:
    return dict(zip(names.split(), (pa.array(list(c)) for c in zip(*rows, strict=True)),
                    strict=True))  # fmt: skip


def _use_codes() -> Iterator[tuple[str, Table]]:
    used = sorted((use for use in USES if use.code), key=lambda use: use.code)
    yield (
        "property_use",
        _columns(
            "property_use_cd property_use_desc dor_use_code",
            [(use.code, use.description.upper(), use.dor) for use in used],
        ),
    )
    by_dor = {use.dor: use for use in reversed(used)}
    flags = ("residential", "multifamily", "commercial", "industrial", "current_use", "other")
    yield "dor_use_code", _columns(
        "sub_cd sub_desc land_use_cd land_use_desc mh_park " + " ".join(flags),
        [
            (code, use.description[:40], code, use.description, int(code == "15"),
             *(int(_FLAGS[use.abstract] == flag) for flag in flags))
            for code, use in sorted(by_dor.items())
        ],
    )  # fmt: skip
    yield (
        "dor_land_use_code",
        _columns(
            "code dor_report_category",
            [(code, _CATEGORIES[use.abstract]) for code, use in sorted(by_dor.items())],
        ),
    )
    types = {"A": "Automobile", "MH": "Mobile home", "MN": "Mineral", "P": "Personal", "R": "Real"}
    yield "property_type", _columns("prop_type_cd prop_type_desc", list(padded(types, 5)))
    yield "property_sub_type", _columns(
        "property_sub_cd property_sub_desc residential commercial farm leased industrial prop_type",
        [("C", "Commercial", 0, 1, 0, 0, 0, "R    "), ("F", "Farm", 0, 0, 1, 0, 0, "R    "),
         ("I", "Industrial", 0, 0, 0, 0, 1, "R    "), ("MH", "Mobile home", 1, 0, 0, 1, 0, "MH   "),
         ("R", "Residential", 1, 0, 0, 0, 0, "R    ")],
    )  # fmt: skip


def _improvement_codes() -> Iterator[tuple[str, Table]]:
    kinds = {"R": "Residential", "MHOME": "Manufactured home", "C": "Commercial",
             "CONV": "Conversion", "PERMC": "Permanent crop"}  # fmt: skip
    yield (
        "imprv_type",
        _columns(
            "imprv_type_cd imprv_type_desc mobile_home",
            [(code, text, "T" if code == "MHOME" else "F") for code, text in padded(kinds, 5)],
        ),
    )
    yield "imprv_det_type", _columns(
        "imprv_det_type_cd imprv_det_typ_desc main_area comp_sales_main_area_flag",
        [(code.ljust(10), text, *("TT" if code in MAIN_AREAS else "FF"))
         for code, text in sorted(DETAIL_TYPES.items())],
    )  # fmt: skip
    classes = dict(zip(map(str, CLASSES), ("Low", "Fair", "Fair plus", "Average", "Average plus",
                       "Good", "Good plus", "Very good", "Very good plus", "Excellent"),
                       strict=True))  # fmt: skip
    yield (
        "imprv_det_class",
        _columns("imprv_det_class_cd imprv_det_cls_desc", list(padded(classes, 10))),
    )
    conditions = dict(zip(CONDITIONS[1:], ("Poor", "Fair", "Average", "Good", "Excellent"),
                          strict=True))  # fmt: skip
    yield "condition", _columns("condition_cd condition_desc", list(padded(conditions, 5)))
    yield (
        "attribute",
        _columns(
            "imprv_attr_id imprv_attr_desc", [(key, text) for key, (text, _) in ATTRIBUTES.items()]
        ),
    )
    yield (
        "attribute_val",
        _columns(
            "imprv_attr_id imprv_attr_val_cd",
            [(key, word) for key, (_, words) in ATTRIBUTES.items() for word in sorted(words)],
        ),
    )
    yield "land_type", _columns("land_type_cd land_type_desc", list(padded(LAND_TYPES, 10)))
    uses = {"AG": "Farm and agricultural", "CNV": "Conversion", "DFL": "Designated forest land",
            "OSP": "Open space", "TIM": "Timber land"}  # fmt: skip
    yield "ag_use", _columns(
        "ag_use_cd ag_use_desc ag osp",
        [(code, text, int(code[:2] == "AG"), int(code[:3] == "OSP"))
         for code, text in padded(uses, 5)],
    )  # fmt: skip


def _sale_codes() -> Iterator[tuple[str, Table]]:
    yield "sale_ratio_type", _columns(
        "sl_ratio_type_cd sl_ratio_desc invalid_sale requires_reason",
        [(code, text, int(code.strip() != "00"), int(code.strip() == "27"))
         for code, text in padded(DOR_CODES, 5)],
    )  # fmt: skip
    yield "county_ratio_code", _columns("ratio_cd ratio_desc", sorted(COUNTY_CODES.items()))
    yield (
        "sale_type",
        _columns("sl_type_cd sl_type_desc", [("I    ", "Improved"), ("V    ", "Vacant land")]),
    )
    yield "deed_type", _columns("deed_type_cd deed_type_desc", list(padded(DEED_TYPES, 10)))
    yield "reet_wac_code", _columns("wac_cd wac_desc", sorted(WAC_CODES.items()))


def _roll_codes() -> Iterator[tuple[str, Table]]:
    yield "exmpt_type", _columns(
        "exmpt_type_cd exmpt_desc freeze_flag",
        [("EX", "Exempt", 0), ("FARM", "Farm machinery", 0), ("HOF", "Head of family", 0),
         ("SNR/DSBL", "Senior or disabled", 1), ("U500", "Value under $500", 0)],
    )  # fmt: skip
    yield (
        "exmpt_sub_type",
        _columns(
            "exmpt_sub_type_cd exmpt_sub_type_desc exmpt_type_cd disability",
            [("DSBL", "Disabled", "SNR/DSBL", 1), ("SNR", "Senior", "SNR/DSBL", 0)],
        ),
    )
    yield "tax_area", _columns(
        "tax_area_id tax_area_number tax_area_description",
        [(key, number, f"Tax code area {number}, {TAX_AREA_RATES[number]} per $1,000 in 2025")
         for number, key in tax_area_ids().items()],
    )  # fmt: skip
    yield (
        "appraiser",
        _columns(
            "appraiser_id appraiser_nm",
            [(number, f"APPRAISER {number}") for number in range(1, 10)],
        ),
    )


def _by_year(county: County, count: int) -> tuple[Ints, Ints]:
    """Row index and year of a table that repeats its rows in every layer (0 is the future)."""
    years = np.array([0, *county.values.years])
    return np.repeat(np.arange(count), len(years)), np.tile(years, count)


def _neighborhoods(county: County) -> Table:
    hoods = county.land.hoods
    rows, years = _by_year(county, len(hoods["code"]))
    return {
        "hood_cd": pa.array(hoods["code"][rows]), "hood_yr": years,
        "hood_name": pa.array(hoods["name"][rows]), "hood_land_pct": 100.0,
        "hood_imprv_pct": 100.0, "inactive": 0, "created_date": "2006-01-01 00:00:00",
        "cycle": hoods["cycle"][rows], "appraiser_id": 1 + rows % 9,
    }  # fmt: skip


def _subdivisions(county: County) -> Table:
    plats = county.land.plats
    rows, years = _by_year(county, len(plats["code"]))
    return {
        "abs_subdv_cd": pa.array(plats["code"][rows]), "abs_subdv_yr": years,
        "abs_subdv_desc": pa.array(plats["name"][rows]), "abs_land_pct": 100.0,
        "abs_imprv_pct": 100.0, "abs_subdv_ind": "S", "cInCounty": "T", "bActive": 1,
    }  # fmt: skip
