"""From the types of a source to the kinds of the canonical schema, failures told apart from nulls.

A conversion is SQL over ``{x}``. Blank text is null and no failure; anything else that gives null
is a failure, which the run counts and keeps with its raw value.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from terrafusion_lib.core.sql import literal
from terrafusion_lib.core.tables import Kind

SQL_TYPES = {
    Kind.TEXT: "VARCHAR",
    Kind.INTEGER: "BIGINT",
    Kind.NUMBER: "DOUBLE",
    Kind.MONEY: "DOUBLE",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.DATE: "DATE",
    Kind.JSON: "VARCHAR",
    Kind.GEOMETRY: "BLOB",
}
PLACEHOLDER_DATES = ("0001-01-01", "1753-01-01", "1900-01-01", "9999-12-31")
"""Dates that stand for none: year 1, SQL Server's least and zero datetime, the far end."""
TRUE_WORDS = ("1", "t", "true", "y", "yes")
FALSE_WORDS = ("0", "f", "false", "n", "no")
MOJIBAKE = "Ã[\\x{80}-\\x{BF}€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|Â[\\x{A0}-\\x{BF}]|â€|\\x{FFFD}"
"""UTF-8 read as Windows-1252 or Latin-1, and the replacement character."""
RIGHT_TRIMMED = "CASE WHEN {x} LIKE '% ' THEN rtrim({x}, ' ') ELSE {x} END"
TRIMMED = (
    "CASE WHEN {x} LIKE ' %' OR {x} LIKE '% ' THEN nullif(trim({x}), '') ELSE nullif({x}, '') END"
)
"""Trimming reads each letter; most text has no blank at its ends, which is told at once."""
GARBLED = f"strlen({{x}}) > length({{x}}) AND regexp_matches({{x}}, '{MOJIBAKE}')"
"""SQL over ``{x}``: the text looks garbled (plain ASCII is told by its length at once)."""


@dataclass(frozen=True)
class Conversion:
    """SQL over ``{x}``: the value, and where it failed (empty: it cannot) and why.

    `reason` may use ``{raw}``, the text of the value that failed.
    """

    value: str
    failed: str = ""
    reason: str = "''"

    def of(self, source: str, raw: str) -> "Conversion":
        """The conversion of the SQL `source`, whose text is the SQL `raw`."""
        return Conversion(
            self.value.replace("{x}", source),
            self.failed.replace("{x}", source),
            self.reason.replace("{raw}", raw),
        )


def family(sql_type: str) -> str:
    """What a type of the engine is to a conversion: text, whole, real, date, moment …"""
    name = sql_type.upper().split("(")[0]
    if name in ("VARCHAR", "JSON"):
        return "text"
    if name.endswith("INT") or name in ("INTEGER", "UINTEGER"):
        return "whole"
    if name in ("DOUBLE", "FLOAT", "DECIMAL"):
        return "real"
    if name.startswith("TIMESTAMP"):
        return "moment"
    return {"DATE": "date", "BOOLEAN": "boolean", '"NULL"': "null"}.get(name, "binary")


def text_of(sql_type: str) -> str:
    """Text of ``{x}``: trimmed, blank is null; a whole number has no decimal point."""
    if family(sql_type) == "text":
        return TRIMMED
    if family(sql_type) == "real":
        whole = "{x} = trunc({x}) AND abs({x}) < 1e15"
        whole_number = "CAST(CAST({x} AS BIGINT) AS VARCHAR)"
        return f"CASE WHEN {whole} THEN {whole_number} ELSE CAST({{x}} AS VARCHAR) END"
    return "CAST({x} AS VARCHAR)"


def convert(kind: Kind, sql_type: str, *, formats: str = "", words: str = "") -> Conversion:
    """How a value of `sql_type` becomes `kind`.

    Parameters
    ----------
    formats : str, optional
        Date formats of text (strptime), separated by ``|``; default ISO 8601.
    words : str, optional
        Texts that are true, separated by ``|``; every other text is false.
    """
    source = family(sql_type)
    if source == "null":
        return Conversion(f"CAST(NULL AS {SQL_TYPES[kind]})")
    if kind in (Kind.TEXT, Kind.JSON):
        return Conversion(text_of(sql_type))
    if kind is Kind.GEOMETRY:
        return Conversion("{x}")
    if kind is Kind.DATE:
        return _date(sql_type, formats)
    if kind is Kind.BOOLEAN:
        return _boolean(sql_type, words)
    return _number(kind, source)


def _not_blank(source: str) -> str:
    return "trim({x}) <> ''" if source == "text" else "{x} IS NOT NULL"


def _number(kind: Kind, source: str) -> Conversion:
    if source == "whole":
        return Conversion(f"CAST({{x}} AS {SQL_TYPES[kind]})")
    if source in ("date", "moment", "binary"):
        return Conversion(
            f"CAST(NULL AS {SQL_TYPES[kind]})", "{x} IS NOT NULL", f"'{source} is not a number'"
        )
    number = "CAST({x} AS DOUBLE)"
    if source == "text":
        number = "TRY_CAST(regexp_replace({x}, '[$,\\s]', '', 'g') AS DOUBLE)"
    elif source == "boolean":
        return Conversion(f"CAST(CAST({{x}} AS INTEGER) AS {SQL_TYPES[kind]})")
    if kind is Kind.INTEGER:
        fits = f"{number} = trunc({number}) AND abs({number}) < 9e18"
        value = f"CASE WHEN {fits} THEN TRY_CAST({number} AS BIGINT) END"
        reason = "'not a whole number'"
    else:
        value, reason = f"CASE WHEN isfinite({number}) THEN {number} END", "'not a number'"
    return Conversion(value, f"({value}) IS NULL AND {_not_blank(source)}", reason)


def _boolean(sql_type: str, words: str) -> Conversion:
    source = family(sql_type)
    if source == "boolean":
        return Conversion("{x}")
    text = f"lower({text_of(sql_type)})"
    if words:
        chosen = _quoted(word.strip().lower() for word in words.split("|"))
        return Conversion(f"{text} IN ({chosen})")
    value = (
        f"CASE WHEN {text} IN ({_quoted(TRUE_WORDS)}) THEN true "
        f"WHEN {text} IN ({_quoted(FALSE_WORDS)}) THEN false END"
    )
    return Conversion(value, f"({value}) IS NULL AND {_not_blank(source)}", "'not true or false'")


def _date(sql_type: str, formats: str) -> Conversion:
    source = family(sql_type)
    day = "CAST({x} AS DATE)"
    if source not in ("date", "moment"):
        text = text_of(sql_type)
        layouts = _quoted(layout.strip() for layout in formats.split("|")) if formats else ""
        parsed = (
            f"try_strptime({text}, [{layouts}])" if formats else f"TRY_CAST({text} AS TIMESTAMP)"
        )
        day = f"CAST({parsed} AS DATE)"
    never = _quoted(PLACEHOLDER_DATES)
    value = f"CASE WHEN {day} NOT IN ({never}) THEN {day} END"
    reason = (
        f"CASE WHEN left({{raw}}, 10) IN ({never}) THEN 'placeholder date' ELSE 'not a date' END"
    )
    return Conversion(value, f"({value}) IS NULL AND {_not_blank(source)}", reason)


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(literal(word) for word in words)
