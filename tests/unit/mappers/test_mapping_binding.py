"""What a mapping is once it is loaded: every name resolved, nothing that is not read."""

from pathlib import Path

import pytest

from terrafusion_lib.core.errors import MappingError
from tests.support.raw_extract import read_mapping

MAPPING = """
version: 1
source: cama
sources:
  parcel:
    table: parcel
    key: [id]
    columns: {integer: [id, use_nr], number: [land], text: [status, note]}
  owner:
    table: owner
    columns: {integer: [PARCEL_ID, nr], text: [who, phone]}
relations:
  live:
    from: parcel
    where: status = 'A'
    columns: {value: land * 2, unread: note}
  first_owner:
    from: owner
    first_per: [PARCEL_ID]
    order_by: [nr desc]
tables:
  properties_operational:
    from: live
    joins: {first: {to: first_owner, match: {PARCEL_ID: ID}}}
    let: {is_cheap: value < 10}
    drop: [{reason: cheap, when: is_cheap}]
    fields: {property_id: id, assessment_year: $assessment_year, owner_name: first.who}
"""


def test_relations_have_only_the_columns_that_something_reads(tmp_path: Path) -> None:
    relations = read_mapping(tmp_path, MAPPING).relations
    live, first = relations["live"], relations["first_owner"]
    assert list(relations) == ["live", "first_owner"]
    assert (live.kept, set(live.columns)) == (("id",), {"value"})
    assert (set(first.kept), first.columns) == ({"PARCEL_ID", "who"}, {})


def test_rows_say_what_tells_them_apart_and_what_is_computed(tmp_path: Path) -> None:
    mapping = read_mapping(tmp_path, MAPPING)
    live, first = (mapping.relations[name].rows for name in ("live", "first_owner"))
    assert (live.sql, live.key, live.one_per) == ('relation."live"', ("id",), ())
    assert live.computed == {"value", "unread"}
    assert (first.key, first.one_per) == (("PARCEL_ID",), ("PARCEL_ID",))
    assert first.computed == frozenset()


def test_a_table_reads_bound_columns_and_what_let_names(tmp_path: Path) -> None:
    table = read_mapping(tmp_path, MAPPING).tables["properties_operational"]
    (join,), ((_, cheap),) = table.reads.joins, table.drops
    assert (join.target.name, join.match["PARCEL_ID"].column) == ("first_owner", ("live", "id"))
    assert cheap.references == {("live", "value")}
    assert table.columns["owner_name"].value.value.column == ("first", "who")


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ("extended_attributes: {json: {a: {transform: trim}}}", "extended_attributes"),
        ("owner_name: {value: first.who, transform: [date, text]}", "owner_name"),
    ],
)
def test_a_field_that_cannot_be_made_is_refused_when_the_mapping_is_loaded(
    tmp_path: Path, wrong: str, place: str
) -> None:
    with pytest.raises(MappingError) as refused:
        read_mapping(tmp_path, MAPPING.replace("owner_name: first.who", wrong))
    assert "table properties_operational" in refused.value.what
    assert f"column {place}" in refused.value.what
