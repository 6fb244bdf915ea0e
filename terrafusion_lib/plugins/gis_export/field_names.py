"""Names of attributes in files: unique, and short where a format asks for it."""

from collections.abc import Mapping, Sequence

from terrafusion_lib.core.config import nearest
from terrafusion_lib.plugins.gis_export.errors import (
    ATTRIBUTE_CLASH,
    UNKNOWN_ATTRIBUTE,
    ExportError,
)

SHORT = 10
RESERVED = frozenset(
    {"fid", "ogc_fid", "objectid", "shape", "shape_length", "shape_area", "geom", "geometry"}
    | {"wkt", "bbox", "mvt_id"}
)
"""Names that one format or another keeps for itself."""
WORDS = {
    "adjusted": "adj",
    "adjustment": "adj",
    "address": "addr",
    "assessed": "assd",
    "assessment": "asmt",
    "basement": "bsmt",
    "building": "bldg",
    "comparable": "comp",
    "construction": "con",
    "county": "cnty",
    "current": "cur",
    "effective": "eff",
    "estimated": "est",
    "exemption": "exm",
    "garage": "gar",
    "improvement": "imp",
    "inspection": "insp",
    "market": "mkt",
    "median": "med",
    "neighborhood": "nbhd",
    "number": "no",
    "property": "prop",
    "subdivision": "subd",
    "taxable": "txbl",
    "valuation": "val",
    "value": "val",
}


def file_names(names: Sequence[str], rename: Mapping[str, str], *, layer: str) -> dict[str, str]:
    """The name of each attribute in files.

    Raises
    ------
    ExportError
        A new name is empty, reserved, or equal to another but for its case.
    """
    given = {name: rename.get(name, name).strip() for name in names}
    seen: dict[str, str] = {}
    for name, new in given.items():
        plain = new.casefold()
        if not plain or plain in RESERVED:
            raise ExportError(
                f"The attribute {name} cannot be named {new!r}, which formats keep for themselves",
                reason_code=ATTRIBUTE_CLASH,
                table=layer,
                examples=sorted(RESERVED),
            )
        if plain in seen:
            raise ExportError(
                f"The attributes {seen[plain]} and {name} would both be named {new}",
                reason_code=ATTRIBUTE_CLASH,
                table=layer,
                hint="change rename, or leave one of them out",
            )
        seen[plain] = name
    return given


def known(names: Sequence[str], among: Sequence[str]) -> None:
    """Check that each name is one of the attributes.

    Raises
    ------
    ExportError
        One is not; the nearest is suggested.
    """
    absent = [name for name in names if name not in among]
    if not absent:
        return
    close = nearest(absent[0], list(among))
    raise ExportError(
        "The layers have no such attribute",
        reason_code=UNKNOWN_ATTRIBUTE,
        examples=absent,
        hint=f"did you mean {close[0]}?" if close else None,
    )


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Names of at most ten letters, each unique whatever the case, by the names given.

    Words are abbreviated as the trade does (``neighborhood_code`` becomes ``nbhd_code``), then
    cut; what is still equal gets a number.
    """
    used: set[str] = set()
    found = {}
    for name in names:
        whole = name
        if len(whole) > SHORT:
            whole = "_".join(WORDS.get(word, word) for word in name.split("_"))
        if len(whole) > SHORT:
            whole = whole.replace("_", "")
        short, number = whole[:SHORT], 1
        while short.casefold() in used:
            number += 1
            short = f"{whole[: SHORT - len(str(number))]}{number}"
        used.add(short.casefold())
        found[name] = short
    return found
