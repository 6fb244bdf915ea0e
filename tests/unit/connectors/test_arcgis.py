"""ArcGIS feature layers: paging, resuming, trying again, and what is wrong with an answer."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import shapely

from terrafusion_lib.connectors import retries
from terrafusion_lib.connectors.arcgis_connector import ArcGisConnector, ArcGisOptions
from terrafusion_lib.connectors.protocol import TransientError, raw_schema
from terrafusion_lib.connectors.raw.table import write_table
from terrafusion_lib.connectors.registry import CONNECTORS, load_connector
from terrafusion_lib.core.config import parse
from terrafusion_lib.core.errors import ConfigError, ConnectError
from terrafusion_lib.core.progress import silent
from terrafusion_lib.core.raw import SourceFilter, SourceTable
from tests.support.arcgis_server import ArcGisServer, error_body, parcels, serving
from tests.support.parcel_rows import shapes
from tests.support.refused import refused

ROWS = 45
COLUMNS = {
    "OBJECTID": "integer",
    "Prop_ID": "integer",
    "Parcel_ID": "text",
    "acres": "number",
    "edited": "timestamp",
    "note": "text",
    "geometry": "geometry",
}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST_WAIT", 0.001)


@pytest.fixture
def server() -> Iterator[ArcGisServer]:
    with serving(ArcGisServer(parcels(ROWS))) as running:
        yield running


def source(server: ArcGisServer, folder: Path, **options: Any) -> ArcGisConnector:
    given = {"url": server.url, "pages": "pages", "retries": 3} | options
    return ArcGisConnector(parse(ArcGisOptions, given, where="test"), folder)


def wanted(**changes: Any) -> SourceTable:
    fields = {"name": "parcels", "source": "gis", "table": "Parcels", "columns": COLUMNS}
    return SourceTable(**(fields | changes))


def read(connector: ArcGisConnector, table: SourceTable | None = None) -> pa.Table:
    return pa.Table.from_batches(connector.read(table or wanted(), [2026]))


def test_all_features_come_once_in_the_order_of_their_ids(
    server: ArcGisServer, tmp_path: Path
) -> None:
    connector = source(server, tmp_path)
    found = read(connector)
    assert found.schema == raw_schema(wanted())
    assert found["OBJECTID"].to_pylist() == [10 + 3 * n for n in range(ROWS)]
    assert found["Parcel_ID"].to_pylist()[:2] == ["it's O'Brien", "000000001"]
    assert found["acres"].to_pylist()[:3] == [None, 0.25, 0.5]
    assert found["note"].null_count == ROWS
    assert found["edited"][1].as_py() == datetime(2023, 11, 15, 22, 13, 20)
    expected = shapes(ROWS)
    got = shapely.from_wkb(found["geometry"].to_numpy())
    assert got[-1] is None
    assert max(shapely.hausdorff_distance(got[:-1], expected[:-1])) < 1e-12
    assert len(server.pages) == 5
    assert connector.row_estimate(wanted(), [2026]) == ROWS
    assert not list((tmp_path / "pages").rglob("*.json"))


def test_an_answer_that_is_cut_short_is_asked_for_in_halves(
    server: ArcGisServer, tmp_path: Path
) -> None:
    server.at_once = 3
    assert read(source(server, tmp_path))["Prop_ID"].to_pylist() == list(range(ROWS))
    assert len(server.pages) > 15


@pytest.mark.parametrize(
    "fault",
    [
        (503, b"busy"),
        (200, error_body(500, "Error performing query operation")),
        (200, error_body(504, "Timed out")),
        (429, b""),
        None,
    ],
)
def test_faults_that_pass_are_tried_again(
    server: ArcGisServer, tmp_path: Path, fault: tuple[int, bytes] | None
) -> None:
    server.faults = [fault, fault]
    assert read(source(server, tmp_path)).num_rows == ROWS
    server.faults = [fault] * 4
    with pytest.raises(TransientError):
        read(source(server, tmp_path))


def test_errors_with_status_200_are_told_and_not_tried_again(
    server: ArcGisServer, tmp_path: Path
) -> None:
    server.faults = [(200, error_body(400, "Unable to complete operation.", "Field is unknown"))]
    with refused(ConnectError) as caught:
        read(source(server, tmp_path))
    assert "Field is unknown" in str(caught.value)
    assert server.faults == []
    server.faults = [(200, b"<html>Sign in</html>")]
    with refused(ConnectError, examples=(b"<html>Sign in</html>",), next="FeatureServer"):
        read(source(server, tmp_path))


def test_a_token_goes_in_the_body_and_a_wrong_one_is_told(
    server: ArcGisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.token = "right"
    monkeypatch.setenv("GIS_TOKEN", "wrong-word")
    connector = source(server, tmp_path, token="env:GIS_TOKEN")
    with refused(ConnectError, next="reference") as caught:
        read(connector)
    assert "wrong-word" not in str(caught.value)
    assert connector.check()[0].ok is False
    monkeypatch.setenv("GIS_TOKEN", "right")
    assert read(source(server, tmp_path, token="env:GIS_TOKEN")).num_rows == ROWS
    with pytest.raises(ConfigError, match="not the token"):
        source(server, tmp_path, token="right")


def test_a_read_that_broke_off_goes_on_where_it_was(server: ArcGisServer, tmp_path: Path) -> None:
    stream = source(server, tmp_path).read(wanted(), [2026])
    for _ in range(3):
        next(stream)
    stream.close()
    asked = len(server.pages)
    assert asked == 3
    found = read(source(server, tmp_path))  # another connector, as after a restart
    assert found["Prop_ID"].to_pylist() == list(range(ROWS))
    assert len(server.pages) == 5
    read(source(server, tmp_path))
    assert len(server.pages) == 10, "a finished read keeps no pages"


@pytest.mark.parametrize("change", ["edited_at", "ids"])
def test_pages_of_an_older_state_are_not_used(
    server: ArcGisServer, tmp_path: Path, change: str
) -> None:
    stream = source(server, tmp_path).read(wanted(), [2026])
    next(stream)
    stream.close()
    if change == "edited_at":
        server.edited_at = 6
    else:
        server.features = parcels(ROWS + 1)
    server.requests.clear()
    found = read(source(server, tmp_path))
    assert found.num_rows == len(server.features)
    assert len(server.pages) == 5


def test_a_layer_edited_while_it_is_read_is_begun_again(
    server: ArcGisServer, tmp_path: Path
) -> None:
    def edit(page: int) -> None:
        if page == 3:
            server.features, server.edited_at = server.features[: ROWS - 2], 6

    server.before_page = edit
    with refused(TransientError, count=2, examples=(139, 142)):
        read(source(server, tmp_path))
    server.features, server.edited_at = parcels(ROWS), 7
    server.requests.clear()
    written = write_table(
        source(server, tmp_path), wanted(), [2026], tmp_path, freshness="", progress=silent
    )
    assert written.rows == ROWS - 2


def test_ids_that_come_twice_are_refused(server: ArcGisServer, tmp_path: Path) -> None:
    server.features[4]["properties"]["OBJECTID"] = server.features[3]["properties"]["OBJECTID"]
    with refused(ConnectError, table="Parcels", column="OBJECTID", count=1):
        read(source(server, tmp_path))


def only(part: str, change: Callable[[Any], Any]) -> Callable[[dict[str, str], Any], Any]:
    """Answers of one kind changed: about, ids, count or page."""
    marks = {"ids": "returnIdsOnly", "count": "returnCountOnly", "page": "objectIds"}

    def alter(asked: dict[str, str], found: Any) -> Any:
        kinds = [kind for kind, mark in marks.items() if mark in asked]
        return change(found) if (kinds or ["about"])[0] == part else found

    return alter


@pytest.mark.parametrize("limit", [-1, 0, None, 2_000_000])
def test_a_limit_that_is_none_reads_all_features(
    server: ArcGisServer, tmp_path: Path, limit: int | None
) -> None:
    server.alter = only("about", lambda found: found | {"maxRecordCount": limit})
    assert read(source(server, tmp_path))["Prop_ID"].to_pylist() == list(range(ROWS))


@pytest.mark.parametrize("ids", [None, []])
def test_no_ids_where_the_server_counts_features_are_refused(
    server: ArcGisServer, tmp_path: Path, ids: object
) -> None:
    server.alter = only("ids", lambda found: {} if ids is None else found | {"objectIds": ids})
    with refused(ConnectError, count=ROWS):
        read(source(server, tmp_path))
    server.features = []
    assert read_nothing(source(server, tmp_path), wanted())


def test_ids_that_are_fewer_than_the_count_are_refused(
    server: ArcGisServer, tmp_path: Path
) -> None:
    server.alter = only("ids", lambda found: found | {"objectIds": found["objectIds"][:40]})
    with refused(TransientError, count=ROWS - 40):
        read(source(server, tmp_path))


def test_text_that_looks_like_a_date_stays_as_it_is(server: ArcGisServer, tmp_path: Path) -> None:
    texts = ["2024/01/15", "2024-01-15", "12:30:00", "2024/01/15 10:00:00+00"]
    for item, text in zip(server.features, texts * 12, strict=False):
        item["properties"]["Parcel_ID"] = text
        item["properties"]["note"] = "2024/01/15"
    found = read(source(server, tmp_path))
    assert found["Parcel_ID"].to_pylist()[:4] == texts
    assert set(found["note"].to_pylist()) == {"2024/01/15"}
    assert found["edited"][1].as_py() == datetime(2023, 11, 15, 22, 13, 20)


@pytest.mark.parametrize(
    "text", ["2023-11-15T22:13:20Z", "2023-11-15T23:13:20+01:00", "2023-11-15 22:13:20"]
)
def test_dates_may_come_as_text(server: ArcGisServer, tmp_path: Path, text: str) -> None:
    for item in server.features[1:]:
        item["properties"]["edited"] = text
    server.features[0]["properties"]["edited"] = None
    found = read(source(server, tmp_path))
    assert found["edited"].to_pylist()[1] == datetime(2023, 11, 15, 22, 13, 20)
    assert found["edited"].null_count == 1


@pytest.mark.parametrize("value", [1_700_000_000_000.5, "last spring", True])
def test_dates_that_are_none_are_told_and_not_kept(
    server: ArcGisServer, tmp_path: Path, value: object
) -> None:
    kept = [dict(item["properties"]) for item in server.features]
    for item in server.features:
        item["properties"]["edited"] = value
    with refused(ConnectError, table="Parcels", column="edited", examples=(value,) * 5):
        read(source(server, tmp_path))
    for item, properties in zip(server.features, kept, strict=True):
        item["properties"] = properties
    assert read(source(server, tmp_path)).num_rows == ROWS


@pytest.mark.parametrize(
    ("part", "answer", "evidence"),
    [
        ("about", [], "[]"),
        ("about", None, "null"),
        ("ids", [], "[]"),
        ("page", None, "null"),
        ("about", {"layers": [None]}, "None"),
        ("about", {"layers": "Parcels"}, "'Parcels'"),
        ("about", {"layers": [{"name": "Parcels"}]}, "{'name': 'Parcels'}"),
        ("count", {"count": None}, "None"),
        ("count", {}, "None"),
        ("ids", {"objectIds": ["abc"]}, "'abc'"),
        ("ids", {"objectIds": [1.5]}, "1.5"),
        ("page", {"features": ["abc"]}, "'abc'"),
        ("page", {"features": {"a": 1}}, "{'a': 1}"),
        ("page", {"features": [{"properties": {"OBJECTID": "abc"}}]}, "'abc'"),
        ("page", {"features": [{"properties": [], "id": "x"}]}, "'x'"),
        ("page", {"error": {"code": None, "message": "no"}}, ": no"),
        ("page", {"error": {"code": "abc", "message": None}}, ": abc"),
        ("page", {"error": {"code": "499", "details": None}}, "499"),
        ("page", {"error": {"code": 400, "details": "why"}}, "why"),
        ("page", {"error": "broken"}, ": broken"),
    ],
)
def test_answers_that_are_not_understood_are_shown(
    server: ArcGisServer, tmp_path: Path, part: str, answer: Any, evidence: str
) -> None:
    server.alter = only(part, lambda _: answer)
    with refused(ConnectError) as caught:
        read(source(server, tmp_path))
    assert evidence in f"{caught.value.what} {caught.value.examples} {caught.value.cause}"


def test_fields_and_features_of_another_shape_are_told(
    server: ArcGisServer, tmp_path: Path
) -> None:
    server.alter = only("about", lambda found: found | {"fields": [{"name": "a"}]})
    with pytest.raises(ConnectError, match="fields cannot be read"):
        source(server, tmp_path).columns("Parcels")
    server.alter = only("page", lambda found: found | {"type": "Esri"})
    with pytest.raises(ConnectError, match="not GeoJSON"):
        read(source(server, tmp_path))


def test_filters_are_pushed_down_with_quotes(server: ArcGisServer, tmp_path: Path) -> None:
    same = SourceFilter(kind="equals", column="Parcel_ID", value="it's O'Brien")
    table = wanted(filters=(same,))
    assert read(source(server, tmp_path), table)["Prop_ID"].to_pylist() == [0]
    pacs = wanted(filters=(SourceFilter(kind="current_supplement", association="x"),))
    with refused(ConfigError, table="Parcels", next="filter by years or equals"):
        read(source(server, tmp_path), pacs)


def test_missing_layers_columns_and_formats_are_named(server: ArcGisServer, tmp_path: Path) -> None:
    connector = source(server, tmp_path)
    assert connector.tables() == ["Owners", "Parcels"]
    assert connector.check()[0].ok
    connector.verify(wanted(table="0"))
    with refused(ConnectError, next="did you mean Parcels"):
        connector.verify(wanted(table="Parcel"))
    with refused(ConnectError, column="Prop_IDD", next="did you mean Prop_ID"):
        connector.verify(wanted(columns={"Prop_IDD": "integer"}))
    absent = wanted(table="Lakes", optional=True)
    assert connector.freshness(absent) == "absent"
    assert read_nothing(connector, absent)
    server.formats = "JSON, AMF"
    with refused(ConnectError, table="Parcels", next="export the layer to a file"):
        source(server, tmp_path).columns("Parcels")


def read_nothing(connector: ArcGisConnector, table: SourceTable) -> bool:
    return list(connector.read(table, [2026])) == []


def test_freshness_is_the_servers_own_mark(server: ArcGisServer, tmp_path: Path) -> None:
    assert source(server, tmp_path).freshness(wanted()) == "edited at 5"
    server.edited_at = None
    assert source(server, tmp_path).freshness(wanted()) == ""


def test_stores_are_no_sources() -> None:
    assert load_connector("arcgis") is ArcGisConnector
    assert not {"postgis", "analytics"} & set(CONNECTORS.names())
