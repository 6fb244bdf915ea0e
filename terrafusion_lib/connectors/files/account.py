"""What became of a file: its lines, its records and the rows that are read from them."""

from collections import Counter
from dataclasses import dataclass, field

from terrafusion_lib.core.errors import ConnectError
from terrafusion_lib.core.raw import ReadAccount

SKIPPED = "skipped lines"
HEADER = "header"
BREAKS = "line breaks inside values"
BLANK = "blank lines"


@dataclass
class FileAccount:
    """Counts of one reading, filled while the file is read.

    ``lines`` is None for formats that have none (workbooks, Parquet, shapes). Lines that begin no
    record are in `not_records`, records that become no row in `left_out`, both by reason.
    """

    lines: int | None = None
    records: int = 0
    not_records: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)

    def add(self, other: "FileAccount") -> None:
        if other.lines is not None:
            self.lines = (self.lines or 0) + other.lines
        self.records += other.records
        self.not_records.update(other.not_records)
        self.left_out.update(other.left_out)

    def closed(self, rows: int, *, table: str) -> ReadAccount:
        """The account as the raw layer keeps it.

        Raises
        ------
        ConnectError
            Lines, records and rows do not add up.
        """
        lines, left_out = self.lines, sum(self.left_out.values())
        other = sum(self.not_records.values())
        if rows + left_out != self.records or (lines is not None and lines != self.records + other):
            raise ConnectError(
                f"The rows read from {table} do not add up for the file: "
                f"{'no' if lines is None else f'{lines:,}'} lines, {other:,} of them not "
                f"records, {self.records:,} records, {left_out:,} left out, {rows:,} rows",
                table=table,
                cause="the file changed during the read, or it has a different format",
                hint="set quote, escape and line_breaks for this table (docs/reference/files.md)",
            )
        return ReadAccount(
            lines=lines,
            records=self.records,
            not_records=_positive(self.not_records),
            left_out=_positive(self.left_out),
        )


def _positive(counts: Counter[str]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}
