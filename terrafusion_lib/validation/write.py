"""Accepted rows, quarantine and warnings as Parquet, streamed."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from terrafusion_lib.core.schema import TABLES
from terrafusion_lib.core.sql import literal
from terrafusion_lib.core.tables import Kind, TableSpec
from terrafusion_lib.validation.base import CHECKED, RowRule, Severity, key_text
from terrafusion_lib.validation.check import Checked
from terrafusion_lib.validation.expressions import NUMBERS
from terrafusion_lib.validation.session import ROW, Session

BATCH_ROWS = 65_536
QUARANTINE = pa.schema(
    [
        pa.field("table_name", pa.string(), nullable=False),
        pa.field("rule", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("severity", pa.string(), nullable=False),
        pa.field("source_key", pa.string()),
        pa.field("row_json", pa.string()),
    ]
)
WARNINGS = pa.schema(
    [
        pa.field("table_name", pa.string(), nullable=False),
        pa.field("rule", pa.string(), nullable=False),
        pa.field("source_key", pa.string()),
    ]
)


class FindingsWriter:
    """Appends each table's findings to ``quarantine`` and ``warnings``."""

    def __init__(self, session: Session, quarantine: pq.ParquetWriter, warnings: pq.ParquetWriter):
        self._session = session
        self._quarantine = quarantine
        self._warnings = warnings

    def add(self, checked: Checked) -> None:
        """Store each error with its row, and the key of each warning, sorted by rule and row."""
        self._copy(_quarantine_query(checked), self._quarantine, QUARANTINE)
        self._copy(_warnings_query(checked), self._warnings, WARNINGS)

    def _copy(self, query: str, writer: pq.ParquetWriter, schema: pa.Schema) -> None:
        if not query:
            return
        for batch in self._session.connection.sql(query).to_arrow_reader(BATCH_ROWS):
            arrays = [batch.column(i).cast(item.type) for i, item in enumerate(schema)]
            writer.write_batch(pa.record_batch(arrays, schema=schema))


@contextmanager
def findings_writer(session: Session, out_dir: Path) -> Iterator[FindingsWriter]:
    """Open ``quarantine.parquet`` and ``warnings.parquet`` of a validation."""
    with (
        pq.ParquetWriter(out_dir / "quarantine.parquet", QUARANTINE, compression="zstd") as errors,
        pq.ParquetWriter(out_dir / "warnings.parquet", WARNINGS, compression="zstd") as warnings,
    ):
        yield FindingsWriter(session, errors, warnings)


def _by_severity(checked: Checked, severity: Severity) -> dict[int, RowRule]:
    rules = enumerate(checked.suite.row_rules)
    return {index: rule for index, rule in rules if rule.severity is severity}


def _case(values: Mapping[int, str]) -> str:
    cases = " ".join(f"WHEN {index} THEN {value}" for index, value in values.items())
    return f"CASE rule {cases} END"


def _quarantine_query(checked: Checked) -> str:
    rules = _by_severity(checked, Severity.ERROR)
    table = TABLES[checked.suite.table]
    names = _case({index: literal(rule.name) for index, rule in rules.items()})
    reasons = _case({index: _reason(rule, checked.suite.table) for index, rule in rules.items()})
    return (
        f"SELECT {literal(table.name)}, {names}, {reasons}, 'error', {key_text(table)}, "
        f"{_row_json(table)} "
        f'FROM {checked.findings} JOIN {CHECKED}."{table.name}" ON row = {ROW} '
        f"WHERE rule IN ({', '.join(map(str, rules))}) ORDER BY rule, row"
    )


def _row_json(table: TableSpec) -> str:
    """SQL of a row as JSON without geometry; infinite numbers, which JSON lacks, become text."""
    parts = []
    for column in table.columns:
        value = f'"{column.name}"'
        if column.kind in (Kind.NUMBER, Kind.MONEY):
            value = (
                f"CASE WHEN isfinite({value}) THEN to_json({value}) "
                f"ELSE to_json(CAST({value} AS VARCHAR)) END"
            )
        if column.kind is not Kind.GEOMETRY:
            parts.append(f"{literal(column.name)}, {value}")
    return f"json_object({', '.join(parts)})"


def _reason(rule: RowRule, table: str) -> str:
    """SQL of the reason with the values that failed the rule."""
    kinds = {column.name: column.kind for column in TABLES[table].columns}
    shown = [
        f"{literal(name + ' ')} || coalesce({_shown(name, kinds[name])}, 'missing')"
        for name in dict.fromkeys(rule.evidence())
        if name in kinds
    ]
    if not shown:
        return literal(rule.because)
    return (
        f"{literal(rule.because.rstrip('.') + ' (')} || concat_ws(', ', {', '.join(shown)}) || ').'"
    )


def _shown(name: str, kind: Kind) -> str:
    text = f'CAST("{name}" AS VARCHAR)'
    return f"regexp_replace({text}, '\\.0$', '')" if kind in NUMBERS else text


def _warnings_query(checked: Checked) -> str:
    rules = _by_severity(checked, Severity.WARNING)
    table = TABLES[checked.suite.table]
    if not rules:
        return ""
    names = _case({index: literal(rule.name) for index, rule in rules.items()})
    return (
        f"SELECT {literal(table.name)}, {names}, {key_text(table)} "
        f'FROM {checked.findings} JOIN {CHECKED}."{table.name}" ON row = {ROW} '
        f"WHERE rule IN ({', '.join(map(str, rules))}) ORDER BY rule, row"
    )


def write_accepted(session: Session, checked: Checked, target: Path) -> int:
    """Write the rows that fail no error rule, in input order; returns their number."""
    source = session.paths[checked.suite.table]
    errors = ", ".join(map(str, _by_severity(checked, Severity.ERROR)))
    bad = session.connection.sql(
        f"SELECT DISTINCT row FROM {checked.findings} WHERE rule IN ({errors}) ORDER BY row"
    ).fetchnumpy()["row"]
    if not len(bad):
        shutil.copyfile(source, target)
        return checked.read
    schema = TABLES[checked.suite.table].arrow_schema()
    start = kept = 0
    with (
        pq.ParquetFile(source) as file,
        pq.ParquetWriter(target, schema, compression="zstd") as writer,
    ):
        for batch in file.iter_batches(BATCH_ROWS):
            low, high = np.searchsorted(bad, [start, start + batch.num_rows])
            good = np.ones(batch.num_rows, dtype=bool)
            good[bad[low:high] - start] = False
            accepted = batch.filter(pa.array(good))
            writer.write_batch(pa.record_batch(accepted.columns, schema=schema))
            start, kept = start + batch.num_rows, kept + accepted.num_rows
    return kept
