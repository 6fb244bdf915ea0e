"""A stand-in for an ArcGIS server with one layer, paging and failing as the real one does.

It answers at most ``maxRecordCount`` features and says ``exceededTransferLimit`` when there are
more (GeoJSON has it inside ``properties``), sends errors as JSON with HTTP status 200, and lists
the ids of all features without a limit.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import shapely

from tests.support.parcel_rows import shapes

FIELDS = [
    {"name": "OBJECTID", "type": "esriFieldTypeOID", "nullable": False},
    {"name": "Prop_ID", "type": "esriFieldTypeInteger"},
    {"name": "Parcel_ID", "type": "esriFieldTypeString"},
    {"name": "acres", "type": "esriFieldTypeDouble"},
    {"name": "edited", "type": "esriFieldTypeDate"},
    {"name": "note", "type": "esriFieldTypeString"},
    {"name": "Shape", "type": "esriFieldTypeGeometry"},
]
FIRST_DAY = 1_700_000_000_000
Answer = tuple[int, bytes]


@dataclass
class ArcGisServer:
    """The server's state, which a test changes while it runs.

    `faults` are answers to the next feature requests instead of features; None drops the
    connection. `at_once` is how many features fit into one answer, whatever is asked. `alter`
    makes another answer of what was asked and the right answer.
    """

    features: list[dict[str, Any]]
    max_record_count: int = 10
    at_once: int = 1_000
    token: str = ""
    edited_at: int | None = 5
    formats: str = "JSON, geoJSON, PBF"
    faults: list[Answer | None] = field(default_factory=list)
    before_page: Callable[[int], None] = lambda page: None
    alter: Callable[[dict[str, str], Any], Any] = lambda asked, found: found
    requests: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    @property
    def pages(self) -> list[dict[str, str]]:
        """Requests for features that were answered."""
        return [item for item in self.requests if "objectIds" in item]

    def answer(self, path: str, asked: dict[str, str]) -> Any:
        if self.token and asked.get("token") != self.token:
            return _error(498, "Invalid token.")
        if path.endswith("/FeatureServer"):
            return {
                "layers": [{"id": 0, "name": "Parcels"}],
                "tables": [{"id": 1, "name": "Owners"}],
            }
        if path.endswith("/FeatureServer/0"):
            return self._about()
        if path.endswith("/FeatureServer/0/query"):
            return self._query(asked)
        return _error(400, "Invalid URL")

    def _about(self) -> dict[str, Any]:
        about: dict[str, Any] = {
            "id": 0,
            "name": "Parcels",
            "geometryType": "esriGeometryPolygon",
            "objectIdField": "OBJECTID",
            "fields": FIELDS,
            "maxRecordCount": self.max_record_count,
            "supportedQueryFormats": self.formats,
        }
        return about | ({"editingInfo": {"lastEditDate": self.edited_at}} if self.edited_at else {})

    def _query(self, asked: dict[str, str]) -> Any:
        chosen = self._where(asked.get("where", "1=1"))
        if chosen is None:
            return _error(400, "Cannot perform query. Invalid query parameters.", "'where' is bad")
        if asked.get("returnCountOnly") == "true":
            return {"count": len(chosen)}
        if asked.get("returnIdsOnly") == "true":
            ids = [item["properties"]["OBJECTID"] for item in chosen]
            return {"objectIdFieldName": "OBJECTID", "objectIds": ids[::-1] or None}
        if "objectIds" in asked:
            ids = {int(item) for item in asked["objectIds"].split(",")}
            chosen = [item for item in chosen if item["properties"]["OBJECTID"] in ids]
        return self._features(chosen, asked)

    def _features(self, chosen: list[dict[str, Any]], asked: dict[str, str]) -> dict[str, Any]:
        limit = min(self.max_record_count, self.at_once)
        names = asked["outFields"].split(",")
        sent = [
            {
                "type": "Feature",
                "id": item["properties"]["OBJECTID"],
                "geometry": item["geometry"] if asked["returnGeometry"] == "true" else None,
                "properties": {name: item["properties"][name] for name in names},
            }
            for item in chosen[:limit]
        ]
        found: dict[str, Any] = {"type": "FeatureCollection", "features": sent}
        if len(chosen) > limit:
            found["properties"] = {"exceededTransferLimit": True}
        return found

    def _where(self, where: str) -> list[dict[str, Any]] | None:
        if where == "1=1":
            return self.features
        found = re.fullmatch(r"(\w+) = '(.*)'", where)
        if not found:
            return None
        value = found[2].replace("''", "'")
        return [item for item in self.features if item["properties"][found[1]] == value]


def parcels(count: int) -> list[dict[str, Any]]:
    """Features with ids that have gaps; the last has no shape, the note is always null."""
    found = []
    for number, shape in enumerate(shapes(count)):
        properties = {
            "OBJECTID": 10 + 3 * number,
            "Prop_ID": number,
            "Parcel_ID": f"{number:09d}" if number else "it's O'Brien",
            "acres": number / 4 if number % 5 else None,
            "edited": FIRST_DAY + number * 86_400_000,
            "note": None,
        }
        geometry = json.loads(shapely.to_geojson(shape)) if number < count - 1 else None
        found.append({"properties": properties, "geometry": geometry})
    return found


@contextmanager
def serving(server: ArcGisServer) -> Iterator[ArcGisServer]:
    """Serve on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            asked = {name: values[-1] for name, values in parse_qs(body).items()}
            is_page = "objectIds" in asked
            if is_page:
                server.before_page(len(server.pages))
            if is_page and server.faults:
                fault = server.faults.pop(0)
                if fault is None:
                    self.connection.close()
                    return
                self.send(*fault)
                return
            server.requests.append(asked)
            found = server.alter(asked, server.answer(self.path, asked))
            self.send(200, json.dumps(found).encode())

        def send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    web.handle_error = lambda *_: None  # type: ignore[method-assign] - dropped on purpose
    thread = threading.Thread(target=web.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{web.server_port}/arcgis/rest/services/Parcels/FeatureServer"
    try:
        yield server
    finally:
        web.shutdown()
        web.server_close()
        thread.join()


def error_body(code: int, message: str, *details: str) -> bytes:
    """An error as the server words it, to be sent with status 200."""
    return json.dumps(_error(code, message, *details)).encode()


def _error(code: int, message: str, *details: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "details": list(details)}}
