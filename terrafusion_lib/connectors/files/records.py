"""Where the records of delimited text begin and end; every line is accounted for.

A quote mark opens a value only where a field begins, and closes it only where a field ends: so it
is in RFC 4180, and so a stray mark cannot swallow the rows that follow. A mark inside an unquoted
value (``5" PIPE``) is text.
"""

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Positions = npt.NDArray[np.int64]
CR, LF = 13, 10
SLICE = 1 << 20
"""Bytes that are compared at a time: what fits a processor's cache is many times faster."""
NONE: Positions = np.empty(0, np.int64)


@dataclass(frozen=True)
class Rules:
    """The format of a delimited file, as bytes.

    ``line_breaks`` in quoted values: ``yes``, ``no``, or empty: where they can be nothing else,
    that is where the lines that the value spans would not be records by themselves.
    """

    delimiter: bytes
    quote: bytes
    escape: bytes
    fields: int
    end: bytes = b"\n"
    line_breaks: str = ""


class BadRecordError(ValueError):
    """What is wrong, and at which byte of the text."""

    def __init__(self, offset: int, what: str, hint: str) -> None:
        super().__init__(what)
        self.offset, self.what, self.hint = offset, what, hint


@dataclass(frozen=True)
class Span:
    """Whole records at the beginning of some text: bytes, lines, and which lines begin none."""

    size: int
    lines: int
    breaks: int
    blank: int

    @property
    def records(self) -> int:
        return self.lines - self.breaks - self.blank


def whole_records(text: bytes, rules: Rules, *, final: bool) -> Span:
    """The whole records that `text` begins with; all of it when `final`.

    Raises
    ------
    BadRecordError
        Text follows a closing quote; a quote is never closed; a quoted value spans lines that the
        format does not allow; a line ends otherwise than the others.
    """
    seen = _without_escaped(text, rules.escape)
    marks = _marks(seen, rules) if rules.quote and rules.quote in seen else NONE
    ends = _positions(seen, rules.end)
    outside = ends
    if len(marks):
        inside = (np.searchsorted(marks, ends) & 1).astype(bool)
        outside = ends[~inside]
    _refuse_other_ends(seen, rules, marks, ends)
    if final and len(marks) & 1:
        raise BadRecordError(int(marks[-1]), "a quote mark is never closed", QUOTE_HINT)
    size = len(text) if final else int(outside[-1]) + 1 if len(outside) else 0
    lines = int(np.searchsorted(ends, size))
    outside = outside[outside < size]
    breaks = lines - len(outside)
    if breaks:
        _refuse_breaks(seen, rules, marks[: np.searchsorted(marks, size)], ends)
    if final and size and not seen.endswith(rules.end):
        lines += 1
    return Span(size, lines, breaks, _blank_lines(seen, rules, outside))


QUOTE_HINT = (
    "if quote marks are text, set quote: none for this table; if they are escaped, set escape; "
    "or correct the line"
)
BREAK_HINT = "set line_breaks: yes if values contain line breaks, or quote: none"


def _without_escaped(text: bytes, escape: bytes) -> bytes:
    """`text`, as long as before, in which escaped characters mean nothing."""
    if not escape or escape not in text:
        return text
    return re.sub(re.escape(escape) + b".", b"xx", text, flags=re.DOTALL)


def _positions(text: bytes, mark: bytes) -> Positions:
    raw = np.frombuffer(text, np.uint8)
    same = np.empty(min(SLICE, len(raw)), bool)
    places = [
        np.flatnonzero(np.equal(part, mark[0], out=same[: len(part)])) + start
        for start in range(0, len(raw), SLICE)
        for part in (raw[start : start + SLICE],)
    ]
    return np.concatenate(places) if places else NONE


def _marks(text: bytes, rules: Rules) -> Positions:
    """Quotes that open and close values, by turns."""
    marks = _positions(text, rules.quote)
    raw = np.frombuffer(text, np.uint8)
    border = np.zeros(256, bool)
    border[[rules.delimiter[0], rules.quote[0], LF, CR]] = True
    opens, closes = marks[0::2], marks[1::2]
    opens = opens[1:] if opens[0] == 0 else opens
    closes = closes[:-1] if len(closes) and closes[-1] == len(raw) - 1 else closes
    if border[raw[opens - 1]].all() and border[raw[closes + 1]].all():
        return marks
    return _marks_one_by_one(text, marks, rules)


def _marks_one_by_one(text: bytes, marks: Positions, rules: Rules) -> Positions:
    """The same where some marks are text of unquoted values.

    Raises
    ------
    BadRecordError
        Text follows a closing quote.
    """
    border, quote = {rules.delimiter[0], LF, CR}, rules.quote[0]
    kept: list[int] = []
    after_pair = -1
    for mark in marks.tolist():
        if mark == after_pair:
            continue
        following = text[mark + 1] if mark + 1 < len(text) else rules.end[0]
        if not len(kept) & 1:
            if mark == 0 or text[mark - 1] in border:
                kept.append(mark)
        elif following == quote:
            after_pair = mark + 1
        elif following in border:
            kept.append(mark)
        else:
            raise BadRecordError(mark, "text follows a closing quote", QUOTE_HINT)
    return np.array(kept, np.int64)


def _refuse_other_ends(text: bytes, rules: Rules, marks: Positions, ends: Positions) -> None:
    """Refuse a lone carriage return in a file whose lines end with a newline, and the reverse."""
    other = b"\r" if rules.end == b"\n" else b"\n"
    if other not in text:
        return
    raw = np.frombuffer(text, np.uint8)
    found = _positions(text, other)
    if rules.end == b"\n":
        if np.count_nonzero(raw[ends[ends > 0] - 1] == CR) == len(found):
            return
        found = found[found < len(text) - 1]  # what follows the last one is not read yet
        found = found[raw[found + 1] != LF]
    found = found[np.searchsorted(marks, found) & 1 == 0]
    if len(found):
        what = "a line has a different line ending from the lines before it"
        raise BadRecordError(int(found[0]), what, "use one kind of line ending in the file")


def _refuse_breaks(text: bytes, rules: Rules, marks: Positions, ends: Positions) -> None:
    """Refuse values over several lines where they are not allowed, or could be several records."""
    if rules.line_breaks == "yes":
        return
    opens, closes = marks[0::2], marks[1::2]
    opens = opens[: len(closes)]
    first = np.append(True, closes[:-1] + 1 != opens[1:])  # a doubled quote begins no value
    starts = opens[first]
    stops = closes[np.append(np.flatnonzero(first)[1:] - 1, len(closes) - 1)]
    breaks = np.searchsorted(ends, stops) - np.searchsorted(ends, starts)
    for value in np.flatnonzero(breaks):
        start, stop, count = int(starts[value]), int(stops[value]), int(breaks[value])
        if rules.line_breaks == "no":
            raise BadRecordError(start, "a quoted value spans lines", BREAK_HINT)
        if text.count(rules.delimiter, start, stop) == count * (rules.fields - 1):
            what = f"a quoted value spans {count + 1} lines that would be records on their own"
            raise BadRecordError(start, what, f"{BREAK_HINT} if the quote mark is text")


def _blank_lines(text: bytes, rules: Rules, outside: Positions) -> int:
    """Empty lines between records; in a file of one column they are records."""
    if rules.fields == 1 or not len(outside):
        return 0
    length = np.diff(outside, prepend=-1) - 1
    returned = outside[length == 1]
    raw = np.frombuffer(text, np.uint8)
    return int((length == 0).sum() + (raw[returned - 1] == CR).sum())
