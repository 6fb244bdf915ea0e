"""A small PACS database in SQLite, with what a reader must get right, and what is read from it."""

import sqlite3
from pathlib import Path

from terrafusion_lib.core.raw import RawType, SourceFilter, SourceTable

ROWS = 3_000
YEARS = (2025, 2026)
SUPERSEDED, FUTURE = 1, 2

SCHEMA = """
CREATE TABLE property_val (
  prop_val_yr numeric(4) NOT NULL, sup_num int NOT NULL, prop_id int NOT NULL,
  market numeric(14), legal_acreage numeric(14,4), appr_method char(5), legal_desc varchar(255),
  sup_dt datetime, inspected date, changed datetime2, udi_parent char(1), flag bit NOT NULL,
  ratio float, account bigint, remarks "varchar(max)", owner nvarchar(70),
  prop_inactive_dt datetime, tsRowVersion rowversion,
  PRIMARY KEY (prop_val_yr, sup_num, prop_id)) WITHOUT ROWID;
CREATE TABLE prop_supp_assoc (
  owner_tax_yr numeric(4) NOT NULL, sup_num int NOT NULL, prop_id int NOT NULL,
  PRIMARY KEY (owner_tax_yr, sup_num, prop_id)) WITHOUT ROWID;
CREATE TABLE pacs_system (system_type char(5), appr_yr numeric(4), tax_yr numeric(4));
CREATE TABLE imprv_detail (
  prop_val_yr numeric(4), sup_num int, sale_id int, prop_id int, imprv_det_type_cd char(10),
  imprv_det_area numeric(18,1));
CREATE TABLE building_permit (bldg_permit_id int NOT NULL, bldg_permit_val numeric(18));
INSERT INTO pacs_system VALUES ('C', 2026, 2025);
"""


def build(path: Path, rows: int = ROWS) -> Path:
    """Write the database: odd rows in 2025, even ones in 2026.

    Row SUPERSEDED has a supplement 0 that supplement 2 replaces; row FUTURE has a row in year 0.
    """
    with sqlite3.connect(path) as connection:
        connection.executescript(SCHEMA)
        insert = f"INSERT INTO property_val VALUES ({', '.join('?' * 18)})"
        connection.executemany(insert, [_row(2026 - n % 2, 0, n) for n in range(rows)])
        connection.execute(insert, _row(2025, 2, SUPERSEDED))
        connection.execute(insert, _row(0, 0, FUTURE))
        current = [(2026 - n % 2, 2 if n == SUPERSEDED else 0, n) for n in range(rows)]
        connection.executemany("INSERT INTO prop_supp_assoc VALUES (?, ?, ?)", current)
        connection.execute("INSERT INTO prop_supp_assoc VALUES (0, 0, ?)", (FUTURE,))
        details = [(2025, 0, sale, 1, "MA        ", 1500.5) for sale in (0, 77)]
        connection.executemany("INSERT INTO imprv_detail VALUES (?, ?, ?, ?, ?, ?)", details)
    connection.close()
    return path


def _row(year: int, supplement: int, n: int) -> tuple[object, ...]:
    """One row; the first 1,000 hold nulls only, so that types cannot be guessed from them."""
    day = n % 28 + 1
    known = n >= 1_000 and n % 5 != 0
    optional = (
        100 * n,
        round(n / 7, 4),
        "C    ",
        f"LOT {n} “José’s” – 100’ × 50’",
        f"2024-01-{day:02} 13:14:15",
        f"2024-02-{day:02}",
        "2024-02-01 01:02:03.123456",
        "T",
    )
    more = (n / 3, 10**12 + n, "long " * (n % 50), "Łódź ✓") if known else (None,) * 4
    some = optional if known else (None,) * len(optional)
    return (year, supplement, n, *some, n % 2, *more, None, n.to_bytes(8, "big"))


CURRENT = SourceFilter(
    kind="current_supplement",
    association="prop_supp_assoc",
    on={"prop_val_yr": "owner_tax_yr", "sup_num": "sup_num", "prop_id": "prop_id"},
)
YEAR = SourceFilter(kind="years", column="prop_val_yr")

PROPERTY_VAL = SourceTable(
    name="property_val",
    source="pacs",
    table="dbo.property_val",
    columns={
        "prop_id": RawType.INTEGER,
        "prop_val_yr": RawType.INTEGER,
        "sup_num": RawType.INTEGER,
        "market": RawType.NUMBER,
        "legal_acreage": RawType.NUMBER,
        "appr_method": RawType.TEXT,
        "legal_desc": RawType.TEXT,
        "sup_dt": RawType.DATE,
        "inspected": RawType.DATE,
        "changed": RawType.TIMESTAMP,
        "flag": RawType.BOOLEAN,
        "ratio": RawType.NUMBER,
        "account": RawType.INTEGER,
        "owner": RawType.TEXT,
    },
    key=("prop_val_yr", "sup_num", "prop_id"),
    filters=(YEAR, CURRENT),
)
LONG_TEXT = SourceTable(
    name="remarks",
    source="pacs",
    table="property_val",
    columns={"prop_id": RawType.INTEGER, "remarks": RawType.TEXT},
    key=("prop_val_yr", "sup_num", "prop_id"),
    filters=(YEAR,),
)
EMPTY = SourceTable(
    name="building_permit",
    source="pacs",
    table="dbo.building_permit",
    columns={"bldg_permit_id": RawType.INTEGER, "bldg_permit_val": RawType.NUMBER},
    key=("bldg_permit_id",),
)
LIVE_DETAIL = SourceTable(
    name="imprv_detail",
    source="pacs",
    table="dbo.imprv_detail",
    columns={"prop_id": RawType.INTEGER, "imprv_det_area": RawType.NUMBER},
    key=("prop_id",),
    filters=(
        SourceFilter(kind="equals", column="sale_id", value=0),
        SourceFilter(kind="equals", column="imprv_det_type_cd", value="MA"),
    ),
)
ACTIVE = SourceTable(
    name="active",
    source="pacs",
    table="dbo.property_val",
    columns={"prop_id": RawType.INTEGER},
    key=("prop_id",),
    filters=(YEAR, SourceFilter(kind="equals", column="prop_inactive_dt")),
)
