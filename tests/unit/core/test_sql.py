"""Constants and names as SQL text, as DuckDB and SQLite read them."""

import sqlite3
from datetime import date, datetime
from decimal import Decimal

import duckdb
import pytest

from terrafusion_lib.core.sql import identifier, literal


@pytest.mark.parametrize(
    "value",
    [None, True, False, 0, -3, 2**62, 0.1, -1e300, 1e-7, "", "O'Brien", "a''b\\'\"; --", "Š",
     date(1999, 12, 31), datetime(2026, 1, 5, 12, 30, 1, 250)],
)  # fmt: skip
def test_a_constant_is_read_as_it_was_given(value: object) -> None:
    [[answer]] = duckdb.sql(f"SELECT {literal(value)}").fetchall()
    assert (float(answer) if isinstance(answer, Decimal) else answer) == value


def test_a_constant_of_another_type_is_refused() -> None:
    with pytest.raises(TypeError, match="list"):
        literal([1])


@pytest.mark.parametrize("name", ["plain", "order", 'with "quotes"', "Mixed Case; --"])
def test_a_name_is_read_as_it_was_given(name: str) -> None:
    for connection in (duckdb.connect(), sqlite3.connect(":memory:")):
        connection.execute(f"CREATE TABLE t ({identifier(name)} INTEGER)")
        cursor = connection.execute("SELECT * FROM t")
        assert cursor.description[0][0] == name
        connection.close()
