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
PLACEHOLDER_DATES = (
    "0001-01-01", "1753-01-01", "1899-12-30", "1899-12-31", "1900-01-01", "9999-12-31",
)  # fmt: skip
"""Dates that stand for none: year 1, SQL Server's least and zero datetime, the zero of Access and
of Excel, the far end."""
FIRST_YEAR = 1_000
"""A year below has fewer than four digits in its source: ``3/5/22`` is not of the year 22."""
LAST_OF_TWO_DIGITS = 2_049
"""A year of two digits is read as one from 1950 to 2049, as SQL Server reads it."""
MARKS = {".": ",", ",": "."}
"""Decimal marks, and the mark that parts thousands with each."""
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
            self.reason.replace("{x}", source).replace("{raw}", raw),
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
        whole = "{x} = trunc({x}) AND abs({x}) <= 9007199254740992"
        whole_number = "CAST(CAST({x} AS BIGINT) AS VARCHAR)"
        return f"CASE WHEN {whole} THEN {whole_number} ELSE CAST({{x}} AS VARCHAR) END"
    return "CAST({x} AS VARCHAR)"


def convert(
    kind: Kind, sql_type: str, *, formats: str = "", words: str = "", decimal: str = "."
) -> Conversion:
    """How a value of `sql_type` becomes `kind`.

    Parameters
    ----------
    formats : str, optional
        Date formats of text (strptime), separated by ``|``; default ISO 8601.
    words : str, optional
        Texts that are true, separated by ``|``; every other text is false.
    decimal : str, optional
        Decimal mark of numbers in text, ``.`` or ``,``; the other parts thousands.
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
    return _number(kind, source, decimal)


def _not_blank(source: str) -> str:
    return "trim({x}) <> ''" if source == "text" else "{x} IS NOT NULL"


def _text_number(decimal: str) -> str:
    """Number that a text writes; null where it writes none.

    A thousands mark stands before every third digit and nowhere else; a dollar sign or blanks may
    lead or follow, nothing may stand between. So ``1,5`` is no number, and no two numbers that a
    line end parts become one.
    """
    thousands = MARKS[decimal]
    grouped = f"\\d{{1,3}}([{thousands}]\\d{{3}})+"
    written = f" *[+-]? *[$]? *[+-]?({grouped}|\\d+)?([{decimal}]\\d*)?([eE][+-]?\\d+)? *"
    digits = f"regexp_replace({{x}}, '[$ {thousands}]', '', 'g')"
    if decimal != ".":
        digits = f"replace({digits}, '{decimal}', '.')"
    cast = f"CASE WHEN regexp_full_match({{x}}, '{written}') THEN TRY_CAST({digits} AS DOUBLE) END"
    if decimal != ".":
        return cast
    plain = "regexp_full_match({x}, '-?[0-9]+([.][0-9]+)?')"
    return f"CASE WHEN {plain} THEN CAST({{x}} AS DOUBLE) ELSE {cast} END"


def _number(kind: Kind, source: str, decimal: str) -> Conversion:
    if source == "whole":
        return Conversion(f"CAST({{x}} AS {SQL_TYPES[kind]})")
    if source in ("date", "moment", "binary"):
        return Conversion(
            f"CAST(NULL AS {SQL_TYPES[kind]})", "{x} IS NOT NULL", f"'{source} is not a number'"
        )
    number = "CAST({x} AS DOUBLE)"
    if source == "text":
        number = _text_number(decimal)
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
        day = f"CAST({moment_of(text_of(sql_type), formats)} AS DATE)"
    never = _quoted(PLACEHOLDER_DATES)
    value = f"CASE WHEN {day} NOT IN ({never}) THEN {day} END"
    reason = f"CASE WHEN {day} IN ({never}) THEN 'placeholder date' ELSE 'not a date' END"
    return Conversion(value, f"({value}) IS NULL AND {_not_blank(source)}", reason)


def moment_of(text: str, formats: str = "") -> str:
    """Moment that the SQL `text` writes, in one of `formats` (strptime, separated by ``|``).

    ISO 8601 without formats. A year of fewer than four digits is none, but where a format asks for
    two (``%y``): then it lies between 1950 and 2049.
    """
    if not formats:
        return f"TRY_CAST({text} AS TIMESTAMP)"
    layouts = [layout.strip() for layout in formats.split("|")]
    tries = [_moment_in(text, layout) for layout in layouts]
    return tries[0] if len(tries) == 1 else f"coalesce({', '.join(tries)})"


def _moment_in(text: str, layout: str) -> str:
    moment = f"try_strptime({text}, {literal(layout)})"
    if "%y" in layout:
        return (
            f"CASE WHEN year({moment}) > {LAST_OF_TWO_DIGITS} "
            f"THEN {moment} - INTERVAL 100 YEAR ELSE {moment} END"
        )
    if "%Y" in layout:
        return f"CASE WHEN year({moment}) >= {FIRST_YEAR} THEN {moment} END"
    return moment


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(literal(word) for word in words)
