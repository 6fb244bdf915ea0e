"""What the names of a sale's two parties say."""

import sqlite3

import duckdb
import pytest

from terrafusion_lib.demo.generate import generate
from terrafusion_lib.mappers.parties import RELATIONS, add_party_relation


@pytest.fixture(scope="module")
def engine():
    with duckdb.connect() as connection:
        add_party_relation(connection)
        yield connection


@pytest.mark.parametrize(
    ("seller", "buyer", "relation"),
    [
        ("SMITH, JOHN & MARY", "SMITH, ANN", "same surname"),
        ("SMITH JOHN", "SMITH JOHN & MARY", "same party"),
        ("NGUYEN, A", "NGUYEN, B", "same surname"),
        ("UNKNOWN", "UNKNOWN", None),
        ("SMITH, JOHN", "SMITH FAMILY TRUST", "same surname"),
        ("SMITH JOHN TRUSTEE", "JOHN SMITH", "same party"),
        ("MUÑOZ, ANA", "Munoz Luis", "same surname"),
        ("O'BRIEN, PAT", "OBRIEN, SUE", "same surname"),
        ("DE LA CRUZ, JUAN", "DE LA CRUZ, ANA", "same surname"),
        ("LEE, ANN", "LEEDS, BO", None),
        ("GARCIA, JUAN", "JUAN, ANN", None),
        ("RED HILL FARMS LLC", "RED HILL FARMS, INC.", "same party"),
        ("SMITH HOMES LLC", "SMITH, JOHN", None),
        ("ESTATE OF SMITH JOHN", "LEE ANN", "estate or guardian"),
        ("DOE, J BANKRUPTCY TRUSTEE", "LEE ANN", "bankruptcy"),
        ("SHERIFF OF BENTON COUNTY", "LEE ANN", "sheriff or court"),
        ("LEE ANN", "CITY OF RICHLAND", "public or exempt body"),
        ("SELLER", "BUYER", None),
        ("", "LEE ANN", None),
        (None, "LEE ANN", None),
        ("LEE ANN", None, None),
    ],
)
def test_relation(engine, seller: str | None, buyer: str | None, relation: str | None) -> None:
    found = engine.execute("SELECT party_relation(?, ?)", [seller, buyer]).fetchone()
    assert found == (relation,)
    assert relation is None or relation in RELATIONS


@pytest.mark.slow
def test_demo_parties_are_named_as_their_transfers_are(tmp_path) -> None:
    generate(tmp_path, parcels=1500)
    with sqlite3.connect(tmp_path / "source" / "pacs_oltp.sqlite") as source:
        rows = source.execute(
            "SELECT chg_of_owner_id, grantor_cv, grantee_cv FROM chg_of_owner"
        ).fetchall()
    with duckdb.connect() as engine:
        add_party_relation(engine)
        engine.execute("CREATE TABLE deed (id BIGINT, seller VARCHAR, buyer VARCHAR)")
        engine.executemany("INSERT INTO deed VALUES (?, ?, ?)", rows)
        truth = next((tmp_path / "truth").glob("sales.parquet"))
        related = dict(
            engine.execute(
                "SELECT reason, avg((party_relation(seller, buyer) IS NOT NULL)::INT) FROM deed "
                f"JOIN '{truth}' ON chg_of_owner_id = id GROUP BY reason"
            ).fetchall()
        )
    assert max(len(name) for row in rows for name in row[1:]) <= 30
    assert related["estate"] == related["correction_deed"] == 1
    assert related["family"] > 0.5 > 0.1 > related["arms_length"]
