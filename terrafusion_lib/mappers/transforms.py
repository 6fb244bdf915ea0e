"""The named transforms of a mapping: a small registry that the documentation is checked against."""

import re
from dataclasses import dataclass

from terrafusion_lib.core.config import did_you_mean
from terrafusion_lib.core.errors import MappingError
from terrafusion_lib.core.sql import literal
from terrafusion_lib.core.tables import Kind

SQFT_PER_ACRE = 43_560
DECIMAL_COMMA = "decimal comma"
NUMBERS = (Kind.INTEGER, Kind.NUMBER, Kind.MONEY)
CALL = re.compile(r"(\w+)(?:\((.*)\))?")


@dataclass(frozen=True)
class Transform:
    """One transform: SQL over ``{x}`` and arguments ``{a}``, or a conversion to a kind."""

    meaning: str
    sql: str = ""
    kind: Kind | None = None
    arguments: int = 0
    optional: bool = False
    """Whether the arguments may be left out (conversions only)."""


@dataclass(frozen=True)
class Step:
    """A transform as a field uses it."""

    name: str
    argument: str
    transform: Transform

    def sql(self, value: str) -> str:
        """SQL of the transform applied to the SQL `value` (not for conversions)."""
        parts = [part.strip() for part in self.argument.split(",")] if self.argument else []
        text = self.transform.sql.replace("{x}", f"({value})")
        for index, part in enumerate(parts):
            text = text.replace(f"{{{index}}}", part if part.isdigit() else literal(part))
        return text


_TEXT = "CAST({x} AS VARCHAR)"
_ONE_END = f"replace(replace({_TEXT}, chr(13), chr(10)), chr(10) || chr(10), chr(10))"
_LINES = f"replace({_ONE_END}, chr(10), ', ')"
_BLANKS = " OR ".join(
    f"contains({_TEXT}, {mark})" for mark in ("'  '", "chr(9)", "chr(10)", "chr(13)")
)
_STRAY_COMMAS = f"contains({_LINES}, ' ,') OR starts_with({_LINES}, ', ') OR suffix({_LINES}, ', ')"
_READ = "$ and commas that part thousands are read; (decimal comma): 1.234,50"
TRANSFORMS: dict[str, Transform] = {
    "trim": Transform("Without blanks at either end; nothing left is null",
                      f"nullif(trim({_TEXT}), '')"),
    "upper": Transform("In capitals", f"upper({_TEXT})"),
    "lower": Transform("In small letters", f"lower({_TEXT})"),
    "collapse_whitespace": Transform(
        "Each run of blanks, tabs and line ends as one blank",
        f"CASE WHEN {_BLANKS} THEN trim(regexp_replace({_TEXT}, '\\s+', ' ', 'g')) "
        f"ELSE trim({_TEXT}) END"),
    "crlf_to_comma": Transform(
        "Line ends as a comma and a blank, for addresses",
        f"CASE WHEN {_STRAY_COMMAS} THEN regexp_replace(regexp_replace({_LINES}, "
        f"'\\s*(, )+', ', ', 'g'), '^(, )+|(, )+$', '', 'g') ELSE {_LINES} END"),
    "digits": Transform("Only the digits", f"nullif(regexp_replace({_TEXT}, '\\D', '', 'g'), '')"),
    "pad_left": Transform("pad_left(10, 0): filled on the left to a length; longer stays",
                          f"CASE WHEN length({_TEXT}) < {{0}} THEN lpad({_TEXT}, {{0}}, "
                          f"CAST({{1}} AS VARCHAR)) ELSE {_TEXT} END", arguments=2),
    "zero_to_null": Transform("Zero is null: the source writes 0 for unknown",
                              "CASE WHEN TRY_CAST({x} AS DOUBLE) = 0 THEN NULL ELSE {x} END"),
    "acres_to_sqft": Transform(f"Acres times {SQFT_PER_ACRE:,}", f"({{x}} * {SQFT_PER_ACRE})"),
    "text": Transform("As text, trimmed", kind=Kind.TEXT),
    "integer": Transform(f"As a whole number; {_READ}", kind=Kind.INTEGER, arguments=1,
                         optional=True),
    "number": Transform(f"As a number; {_READ}", kind=Kind.NUMBER, arguments=1, optional=True),
    "money": Transform(f"As US dollars; {_READ}", kind=Kind.MONEY, arguments=1, optional=True),
    "boolean": Transform("boolean: 1/t/true/y/yes, 0/f/false/n/no; boolean(A|B): true for these "
                         "texts, false for any other", kind=Kind.BOOLEAN, arguments=1,
                         optional=True),
    "date": Transform("date: ISO 8601; date(%m/%d/%Y|%Y%m%d): in one of these formats",
                      kind=Kind.DATE, arguments=1, optional=True),
}  # fmt: skip


def read_step(text: str) -> Step:
    """The transform that `text` names, such as ``trim`` or ``pad_left(10, 0)``.

    Raises
    ------
    MappingError
        It is unknown (the nearest is suggested) or has the wrong number of arguments.
    """
    call = CALL.fullmatch(text.strip())
    name, argument = (call.group(1), call.group(2) or "") if call else (text, "")
    if name not in TRANSFORMS:
        meant = did_you_mean(name, TRANSFORMS)
        raise MappingError(
            f"There is no transform {name!r}",
            examples=() if meant else list(TRANSFORMS),
            hint=meant or "docs/reference/mapping.md lists all",
        )
    transform = TRANSFORMS[name]
    if transform.kind in NUMBERS and argument not in ("", DECIMAL_COMMA):
        raise MappingError(
            f"The transform {name} takes no {argument!r}", hint=f"{name}({DECIMAL_COMMA})"
        )
    given = 0 if not argument else 1 if transform.kind else argument.count(",") + 1
    if given != transform.arguments and not (transform.optional and given == 0):
        raise MappingError(
            f"The transform {name} takes {transform.arguments} argument(s), not {given}",
            hint=transform.meaning,
        )
    return Step(name, argument, transform)
