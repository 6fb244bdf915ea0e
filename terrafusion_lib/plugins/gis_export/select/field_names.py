"""Attribute names in files: unique, and short if a format requires it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from terrafusion_lib.core.config import did_you_mean
from terrafusion_lib.plugins.gis_export.errors import (
    ATTRIBUTE_CLASH,
    FIELD_NAME,
    UNKNOWN_ATTRIBUTE,
    ExportError,
)

SHORT = 10
RESERVED = frozenset(
    {"fid", "ogc_fid", "objectid", "shape", "shape_length", "shape_area", "geom", "geometry"}
    | {"wkt", "bbox", "mvt_id"}
)
"""Names reserved by any format."""
WORDS = {
    "adjusted": "adj",
    "adjustment": "adj",
    "address": "addr",
    "appraised": "assd",
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


@dataclass(frozen=True)
class NameRule:
    """Field names that a format writes unchanged: a full match, and not a `reserved` word."""

    pattern: str = r".+"
    says: str = "printable characters"
    reserved: frozenset[str] = frozenset()

    def allows(self, name: str) -> bool:
        plain = re.fullmatch(self.pattern, name) is not None
        return plain and name.isprintable() and name.casefold() not in self.reserved


ANY_NAME = NameRule()


def file_names(
    names: Sequence[str], rename: Mapping[str, str], *, layer: str, rule: NameRule = ANY_NAME
) -> dict[str, str]:
    """The name of each attribute in files.

    Raises
    ------
    ExportError
        A new name is empty, reserved, equal to another except for case, or would be changed by the
        format.
    """
    renamed = {name: rename.get(name, name).strip() for name in names}
    seen: dict[str, str] = {}
    for name, new in renamed.items():
        plain = new.casefold()
        if not plain or plain in RESERVED:
            raise ExportError(
                f"The attribute {name} cannot be named {new!r}, which formats reserve",
                reason_code=ATTRIBUTE_CLASH,
                table=layer,
                examples=sorted(RESERVED),
            )
        _check_allowed(name, new, rule, layer)
        if plain in seen:
            raise ExportError(
                f"The attributes {seen[plain]} and {name} would both be named {new}",
                reason_code=ATTRIBUTE_CLASH,
                table=layer,
                hint="change rename, or leave one out",
            )
        seen[plain] = name
    return renamed


def _check_allowed(name: str, new: str, rule: NameRule, layer: str) -> None:
    if rule.allows(new):
        return
    raise ExportError(
        f"The attribute {name} cannot be named {new!r} in this format: a name has {rule.says}",
        reason_code=FIELD_NAME,
        table=layer,
        hint="change rename",
    )


def known(names: Sequence[str], among: Sequence[str]) -> None:
    """Check that each name is one of the attributes.

    Raises
    ------
    ExportError
        A name is not; the closest is suggested.
    """
    absent = [name for name in names if name not in among]
    if not absent:
        return
    raise ExportError(
        "The layers have no such attribute",
        reason_code=UNKNOWN_ATTRIBUTE,
        examples=absent,
        hint=did_you_mean(absent[0], among),
    )


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Names of at most ten bytes of UTF-8, each unique whatever the case, by the names given.

    Words get their usual abbreviations (``neighborhood_code`` becomes ``nbhd_code``), then names
    are truncated; duplicates get a number.
    """
    used: set[str] = set()
    shortened = {}
    for name in names:
        whole = name.replace(":", "_")
        if _size(whole) > SHORT:
            whole = "_".join(WORDS.get(word, word) for word in whole.split("_"))
        if _size(whole) > SHORT:
            whole = whole.replace("_", "") or whole
        short, number = cut(whole, SHORT).strip(), 1
        while short.casefold() in used:
            number += 1
            short = f"{cut(whole, SHORT - len(str(number)))}{number}"
        used.add(short.casefold())
        shortened[name] = short
    return shortened


def cut(text: str, most: int) -> str:
    """The text truncated to `most` bytes of UTF-8 at a character boundary."""
    return text.encode()[:most].decode("utf-8", "ignore")


def _size(text: str) -> int:
    return len(text.encode())
