"""Errors that cross processes, files that appear whole, logs without secrets, progress lines."""

import io
import json
import logging
import pickle
from pathlib import Path

import pytest

from terrafusion_lib.core import log
from terrafusion_lib.core.declared import result_tables
from terrafusion_lib.core.errors import MappingError, TerraFusionError
from terrafusion_lib.core.files import atomic_path, fingerprint, tree_fingerprint, write_json
from terrafusion_lib.core.progress import LineProgress
from terrafusion_lib.core.schema import TABLES


def test_a_message_says_what_where_evidence_cause_and_next() -> None:
    error = MappingError(
        "Rows were multiplied.",
        county="benton_wa",
        table="sales",
        count=1200,
        examples=range(9),
        cause="two owners",
        hint="terrafusion mapping preview",
    )
    assert str(error) == (
        "Rows were multiplied (county benton_wa, table sales). 1,200 affected. "
        "For example 0, 1, 2, 3, 4. Likely cause: two owners. Next: terrafusion mapping preview."
    )


def test_an_error_keeps_its_fields_across_processes() -> None:
    error = pickle.loads(pickle.dumps(MappingError("x", table="sales", count=3)))
    assert isinstance(error, MappingError)
    assert (error.table, error.count, error.exit_code) == ("sales", 3, 5)


def test_every_error_family_has_its_own_exit_code() -> None:
    families = [
        cls for cls in TerraFusionError.__subclasses__() if cls.__module__.endswith("core.errors")
    ]
    assert len({cls.exit_code for cls in families}) == len(families)


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "new" / "f.json"
    write_json(target, {"a": 1})
    with pytest.raises(OSError, match="disk"), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise OSError("disk full")
    assert json.loads(target.read_text()) == {"a": 1}
    assert [path.name for path in target.parent.iterdir()] == ["f.json"]


def test_fingerprints_see_content_and_names_not_order(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("1")
    before = tree_fingerprint(tmp_path)
    assert tree_fingerprint(tmp_path) == before
    (tmp_path / "b.txt").write_text("not code")
    assert tree_fingerprint(tmp_path) == before
    (tmp_path / "a.py").write_text("2")
    assert tree_fingerprint(tmp_path) != before
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://user:hunter2@host/db",
        "Driver=x;PWD=hunter2;Encrypt=yes",
        "password: hunter2, user: x",
    ],
)
def test_secrets_are_masked_in_logs(text: str, tmp_path: Path) -> None:
    logger = log.configure(tmp_path / "run.log")
    logger.info(text)
    logging.getLogger("terrafusion.store").warning("also here %s", text)
    log.configure(None)
    lines = (tmp_path / "run.log").read_text()
    assert "hunter2" not in lines
    assert "***" in lines
    assert len([json.loads(line) for line in lines.splitlines()]) == 2


def test_progress_shows_rate_and_time_left_and_the_end_of_what_took_long() -> None:
    times = iter([0.0, 1.0, 1.1, 2.0, 3.0, 3.1, 4.0, 9.5])
    stream = io.StringIO()
    progress = LineProgress(stream, every=0.5, clock=lambda: next(times))
    for done in (0, 50, 60, 100):
        progress("map", done, 100)
    for done in (0, 7):
        progress("quick", done, 7)
    for done in (0, 1):
        progress("20_map", done, 1)
    lines = [line.strip() for line in stream.getvalue().splitlines()]
    assert lines == ["map: 50 of 100, 50/s, 1 s left", "map: 100 of 100, 50/s", "20_map: 5.5 s"]


def test_the_canonical_schema_is_consistent() -> None:
    for table in (*TABLES.values(), *result_tables().values()):
        names = table.column_names
        assert len(names) == len(set(names))
        assert set(table.key) <= set(names)
        assert table.parent is None or table.parent in TABLES
        for column in table.columns:
            assert column.nullable == (column.name not in table.key)
            assert table.arrow_schema().field(column.name).nullable == column.nullable
            assert column.meaning
