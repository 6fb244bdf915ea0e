"""Records that are no rows: a header that is repeated, and lines of totals."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

REPEATED_HEADER = "repeated header"
TOTAL_LINE = "total or ruled line"
TOTAL = (
    r"(?i)^\s*(?:(?:(?:grand|report|sub)[\s-]*)?totals?(?:\s+(?:rows|records|parcels|properties))?"
    r"\s*[:=]?[\s$\d,.]*|\(?[\d,]+\s+(?:rows?|records?)(?:\s+\w+)?\)?|-{3,}|={3,})\s*$"
)


@dataclass(frozen=True)
class NotRows:
    """How such records are known, in columns of text.

    Parameters
    ----------
    header : sequence of str
        The file's own name of each column.
    key : sequence of int
        Positions of the key's columns; of the file's first column when the mapping names no key.
    headers, totals : bool
        Whether each kind is left out.

    Notes
    -----
    A repeated header has its own name in every column. A line of totals has no key (or such words
    where the key would be) and the word in some column: ``Total``, ``Grand total: 400``,
    ``400 rows``, ``-----``.
    """

    header: Sequence[str]
    key: Sequence[int]
    headers: bool = True
    totals: bool = True

    def without(self, columns: list[pa.Array]) -> tuple[list[pa.Array], Counter[str]]:
        """The columns without those records, and how many there were of each kind."""
        left_out: Counter[str] = Counter()
        for wanted, reason, mask in (
            (self.headers, REPEATED_HEADER, self._repeated),
            (self.totals, TOTAL_LINE, self._totals),
        ):
            if not wanted or not columns or not len(columns[0]):
                continue
            found = mask(columns)
            if found is not None and (count := pc.sum(found).as_py()):
                left_out[reason] += count
                kept = pc.invert(found)
                columns = [column.filter(kept) for column in columns]
        return columns, left_out

    def _repeated(self, columns: list[pa.Array]) -> pa.Array | None:
        mask = None
        for column, name in zip(columns, self.header, strict=True):
            same = _is_name(column, name)
            mask = same if mask is None else pc.and_(mask, same)
            if not pc.any(mask).as_py():
                return None
        return mask

    def _totals(self, columns: list[pa.Array]) -> pa.Array | None:
        keyless = None
        for position in self.key:
            column = columns[position]
            free = pc.or_(pc.is_null(column), _is_total(column))
            keyless = free if keyless is None else pc.and_(keyless, free)
            if not pc.any(keyless).as_py():
                return None
        if keyless is None:
            return None
        word = None
        for column in columns:
            word = _is_total(column) if word is None else pc.or_(word, _is_total(column))
        return pc.and_(keyless, word)


def one_name(name: str) -> str:
    """A column's name with line breaks and runs of blanks as one blank."""
    return " ".join(name.split())


def _is_name(column: pa.Array, name: str) -> pa.Array:
    """Whether each value is the name, blanks and capitals aside; null is not."""
    if name.lstrip()[:1].isalpha() and _whole_numbers(column):
        return _none_of(column)
    words = r"\s+".join(re.escape(word) for word in name.split())
    return pc.fill_null(pc.match_substring_regex(column, rf"(?i)^\s*{words}\s*$"), False)


def _is_total(column: pa.Array) -> pa.Array:
    if _whole_numbers(column):
        return _none_of(column)
    return pc.fill_null(pc.match_substring_regex(column, TOTAL), False)


def _whole_numbers(column: pa.Array) -> bool:
    """Whether no value is a word, which is seen many times faster than what word it is."""
    try:
        return not pa.types.is_string(column.type) or column.cast(pa.int64()) is not None
    except pa.ArrowInvalid:
        return False


def _none_of(column: pa.Array) -> pa.Array:
    return pa.array(np.zeros(len(column), bool))


def is_total_text(text: str) -> bool:
    """Whether a line by itself is one of totals."""
    return re.match(TOTAL, text) is not None
