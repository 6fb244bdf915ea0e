"""Validation: every rule of a table in one set-based pass, rows parted by what they fail."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from terrafusion_lib.core.errors import GateError
from terrafusion_lib.core.files import write_json
from terrafusion_lib.core.progress import Progress, silent
from terrafusion_lib.core.schema import TABLES, CanonicalTable, Kind
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.validation.conditions import condition, quoted
from terrafusion_lib.validation.results import RuleResult, TableResult, ValidationResult
from terrafusion_lib.validation.suites import Rule, Severity, Suite

QUARANTINE_COLUMNS = ("table_name", "rule", "reason", "severity", "source_key", "row_json")
RULES_FILE = "rules.json"


def validate_tables(
    suites: Mapping[str, Suite],
    tables: Mapping[str, Path],
    out_dir: Path,
    *,
    parameters: Mapping[str, object],
    settings: Settings,
    progress: Progress = silent,
) -> ValidationResult:
    """Validate canonical tables and part accepted from quarantined rows.

    Writes ``accepted/<table>.parquet`` (order kept), ``quarantine.parquet`` (one row per row and
    error rule failed), ``warnings.parquet`` (rule and key) and ``rules.json`` to `out_dir`.

    Parameters
    ----------
    suites : mapping
        Suite by table; a table without one is accepted whole.
    tables : mapping
        Parquet file by canonical table. Parents are validated first, so that children of a
        quarantined property are quarantined with it.
    parameters : mapping
        Values that rules may name, such as assessment_year.

    Raises
    ------
    GateError
        A file lacks canonical columns or holds another type.
    """
    (out_dir / "accepted").mkdir(parents=True, exist_ok=True)
    found: list[RuleResult] = []
    counted: dict[str, TableResult] = {}
    accepted: dict[str, Path] = {}
    with duckdb.connect() as database:
        _configure(database, settings, out_dir)
        _create_findings(database)
        for number, name in enumerate(spec for spec in TABLES if spec in tables):
            rules = suites[name].rules if name in suites else ()
            accepted[name] = out_dir / "accepted" / f"{name}.parquet"
            work = _TableWork(database, TABLES[name], tables[name], rules, parameters)
            results, counted[name] = work.run(accepted)
            found += results
            progress("validate", number + 1, len(tables))
        _write_findings(database, out_dir)
    (out_dir / "spill").rmdir() if (out_dir / "spill").is_dir() else None
    result = ValidationResult(tuple(found), counted)
    write_json(out_dir / RULES_FILE, [rule.as_dict() for rule in found])
    return result


def read_rules(folder: Path) -> list[dict[str, object]]:
    """The rule results that `validate_tables` wrote to a folder."""
    rows: list[dict[str, object]] = json.loads((folder / RULES_FILE).read_text(encoding="utf-8"))
    return rows


def _configure(database: duckdb.DuckDBPyConnection, settings: Settings, out_dir: Path) -> None:
    database.execute(f"SET memory_limit = {quoted(settings.duckdb_memory_limit)}")
    database.execute(f"SET threads = {settings.threads}")
    database.execute(f"SET temp_directory = {quoted(str(out_dir / 'spill'))}")
    database.execute("SET autoinstall_known_extensions = false")


def _create_findings(database: duckdb.DuckDBPyConnection) -> None:
    columns = ", ".join(f"{name} VARCHAR" for name in QUARANTINE_COLUMNS)
    database.execute(f"CREATE TABLE quarantine ({columns})")
    database.execute("CREATE TABLE warnings (table_name VARCHAR, rule VARCHAR, source_key VARCHAR)")


def _write_findings(database: duckdb.DuckDBPyConnection, out_dir: Path) -> None:
    for name in ("quarantine", "warnings"):
        target = quoted(str(out_dir / f"{name}.parquet"))
        database.execute(
            f"COPY (SELECT * FROM {name} ORDER BY table_name, rule, source_key) "
            f"TO {target} (FORMAT parquet, COMPRESSION zstd)"
        )


@dataclass(frozen=True)
class _TableWork:
    """The pass over one table."""

    database: duckdb.DuckDBPyConnection
    spec: CanonicalTable
    path: Path
    rules: tuple[Rule, ...]
    parameters: Mapping[str, object]

    @property
    def source(self) -> str:
        return f"read_parquet({quoted(str(self.path))}, file_row_number = true)"

    @property
    def key(self) -> str:
        names = [name for name in self.spec.key if name != "county_id"] or list(self.spec.key)
        return f"concat_ws('/', {', '.join(names)})"

    def run(self, accepted: Mapping[str, Path]) -> tuple[list[RuleResult], TableResult]:
        self._check_columns()
        failing = [
            f"NOT {condition(rule, self.parameters, accepted)} AS f{number}"
            for number, rule in enumerate(self.rules)
        ]
        flags = ", ".join(["file_row_number", *failing])
        self.database.execute(f"CREATE TEMP TABLE flags AS SELECT {flags} FROM {self.source}")
        results = self._results()
        self._keep_findings(results)
        counted = self._write_accepted(accepted[self.spec.name])
        self.database.execute("DROP TABLE flags")
        return results, counted

    def _check_columns(self) -> None:
        schema = pq.read_schema(self.path)
        wanted = self.spec.arrow_schema()
        wrong = [
            f"{field.name} is {schema.field(field.name).type if field.name in schema.names else 'missing'}"
            for field in wanted
            if field.name not in schema.names or schema.field(field.name).type != field.type
        ]
        if wrong:
            raise GateError(
                "The table is not canonical",
                table=self.spec.name,
                count=len(wrong),
                examples=wrong,
                hint="map again: terrafusion run <county> --from map",
            )

    def _results(self) -> list[RuleResult]:
        sums = ", ".join(f"coalesce(sum(f{n}::INT), 0)" for n in range(len(self.rules)))
        query = f"SELECT count(*){', ' + sums if sums else ''} FROM flags"
        checked, *failed = self.database.execute(query).fetchall()[0]
        return [
            RuleResult(
                self.spec.name,
                rule.name,
                rule.kind,
                rule.severity,
                rule.because,
                rule.source,
                int(checked),
                int(count),
                self._examples(number) if count else (),
            )
            for number, (rule, count) in enumerate(zip(self.rules, failed, strict=True))
        ]

    def _examples(self, number: int) -> tuple[str, ...]:
        rows = self.database.execute(
            f"SELECT {self.key} AS k FROM {self.source} JOIN flags USING (file_row_number) "
            f"WHERE f{number} ORDER BY k LIMIT 5"
        ).fetchall()
        return tuple(str(row[0]) for row in rows)

    def _keep_findings(self, results: list[RuleResult]) -> None:
        shown = ", ".join(
            f"{c.name} := {c.name}" for c in self.spec.columns if c.kind is not Kind.GEOMETRY
        )
        for number, (rule, result) in enumerate(zip(self.rules, results, strict=True)):
            if result.passed:
                continue
            values = [quoted(self.spec.name), quoted(rule.name)]
            target = "warnings"
            if rule.severity is Severity.ERROR:
                target = "quarantine"
                values += [quoted(rule.because), quoted(rule.severity.value)]
            values.append(self.key)
            if rule.severity is Severity.ERROR:
                values.append(f"to_json(struct_pack({shown}))::VARCHAR")
            self.database.execute(
                f"INSERT INTO {target} SELECT {', '.join(values)} FROM {self.source} "
                f"JOIN flags USING (file_row_number) WHERE f{number}"
            )

    def _write_accepted(self, target: Path) -> TableResult:
        errors = [f"f{n}" for n, rule in enumerate(self.rules) if rule.severity is Severity.ERROR]
        refused = " OR ".join(errors) or "false"
        columns = ", ".join(self.spec.column_names)
        query = (
            f"SELECT {columns} FROM {self.source} JOIN flags USING (file_row_number) "
            f"WHERE NOT ({refused}) ORDER BY file_row_number"
        )
        schema = self.spec.arrow_schema()
        accepted = 0
        with pq.ParquetWriter(target, schema, compression="zstd") as writer:
            for batch in self.database.sql(query).to_arrow_reader(100_000):
                writer.write_batch(batch.cast(schema))
                accepted += batch.num_rows
        read = pq.read_metadata(self.path).num_rows
        return TableResult(read, read - accepted, accepted)
