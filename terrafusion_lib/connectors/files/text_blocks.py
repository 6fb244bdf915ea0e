"""A text file line by line at its beginning, then in blocks of whole records."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace

from terrafusion_lib.connectors.files.encodings import CHUNK, Opener, utf8_chunks
from terrafusion_lib.connectors.files.records import BadRecordError, Rules, Span, whole_records
from terrafusion_lib.core.errors import ConnectError

DOS_END = b"\x1a"
LONGEST_RECORD = 64 << 20


@dataclass(frozen=True)
class Block:
    """Whole records as UTF-8; `first_line` is the number of the first line in the file."""

    text: bytes
    first_line: int
    span: Span


class TextFile:
    """One pass over a text file; `line` is how many lines were taken.

    A DOS end-of-file mark (Ctrl-Z) after the last line is dropped.

    Parameters
    ----------
    name : str
        The file as messages call it.
    """

    def __init__(self, opener: Opener, encoding: str, *, name: str) -> None:
        self.name = name
        self.line = 0
        self._chunks = utf8_chunks(opener, encoding, table=name)
        self._rest = b""
        self._final = False
        self._fill()
        head = self._rest[:LONGEST_RECORD]
        self.end = b"\r" if b"\r" in head and b"\n" not in head else b"\n"

    def peek_line(self) -> str:
        """The next line without its end, not taken; empty at the end of the file."""
        while (at := self._rest.find(self.end)) < 0 and not self._final:
            self._fill()
        line = self._rest[:at] if at >= 0 else self._rest
        return line.decode("utf-8", "surrogatepass").rstrip("\r")

    def take_line(self) -> str | None:
        """The next line with its end; None at the end of the file."""
        while (at := self._rest.find(self.end)) < 0 and not self._final:
            self._fill()
        size = at + 1 if at >= 0 else len(self._rest)
        if not size:
            return None
        taken, self._rest = self._rest[:size], self._rest[size:]
        self.line += 1
        self._refuse_odd_bytes(taken, self.line)
        return taken.decode("utf-8", "surrogatepass")

    def blocks(self, rules: Rules) -> Iterator[Block]:
        """What was not taken yet, in blocks.

        Raises
        ------
        ConnectError
            The text is not what the rules say; the line is named.
        """
        rules = replace(rules, end=self.end)
        while self._rest or not self._final:
            try:
                span = whole_records(self._rest, rules, final=self._final)
            except BadRecordError as error:
                line = self.line + 1 + self._rest.count(self.end, 0, error.offset)
                raise self.wrong(line, error.what, hint=error.hint) from error
            if span.size:
                text, self._rest = self._rest[: span.size], self._rest[span.size :]
                self._refuse_odd_bytes(text, self.line + 1)
                yield Block(text, self.line + 1, span)
                self.line += span.lines
            elif len(self._rest) > LONGEST_RECORD:
                what = f"a record is longer than {LONGEST_RECORD >> 20} MB"
                raise self.wrong(self.line + 1, what, hint="a quote mark may be unclosed")
            if not self._final:
                self._fill()

    def wrong(self, line: int, what: str, *, hint: str | None = None) -> ConnectError:
        """The error of one line; what the line holds is never shown."""
        return ConnectError(f"{self.name}, line {line:,}: {what}", table=self.name, hint=hint)

    def _fill(self) -> None:
        chunk = next(self._chunks, None)
        self._final = chunk is None
        self._rest += chunk or b""
        if self._final:
            self._rest = self._rest.rstrip(DOS_END)

    def _refuse_odd_bytes(self, text: bytes, line: int) -> None:
        """Refuse what no text holds: NUL, and an end-of-file mark with lines after it."""
        for mark, what, hint in (
            (b"\0", "a NUL byte is no text", "set encoding: utf-16 if it is; or get it again"),
            (DOS_END, "an end-of-file character (Ctrl-Z) occurs before the end", "remove the mark"),
        ):
            if mark in text:
                at = line + text.count(self.end, 0, text.find(mark))
                raise self.wrong(at, what, hint=hint)


def estimated_records(opener: Opener) -> int | None:
    """Lines of a file, its header aside; of a large one by its size and its first megabytes."""
    with opener() as file:
        start = file.read(CHUNK)
        lines = start.count(b"\n") + (not start.endswith(b"\n"))
        if not file.read(1):
            return max(lines - 1, 0)
        try:
            size = os.fstat(file.fileno()).st_size
        except (OSError, AttributeError):
            return None
    return None if size < len(start) else max(round(lines * size / len(start)) - 1, 0)
