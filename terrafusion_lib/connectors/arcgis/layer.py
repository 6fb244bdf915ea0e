"""Reads one layer of an ArcGIS service page by page; pages are kept until all are read."""

import json
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from terrafusion_lib.connectors.arcgis.answers import moments, objects, whole_number
from terrafusion_lib.connectors.arcgis.client import ArcGisClient
from terrafusion_lib.connectors.protocol import SourceColumn, TransientError
from terrafusion_lib.core.errors import ConnectError
from terrafusion_lib.core.files import fingerprint, write_text

PAGE_ROWS = 1_000
RESUME_HOURS = 12
GEOMETRY = "geometry"
MILLISECONDS = "esriFieldTypeDate"


@dataclass(frozen=True)
class ArcGisLayer:
    """A feature layer or table; shapes arrive as GeoJSON, therefore in WGS 84.

    The ids of all features are requested first, because no limit truncates them, then the features
    by id. Paging by offset is not used: pages can overlap or lose features while the layer is
    edited, and old servers do not support it.

    Parameters
    ----------
    path : str
        Id of the layer in the service.
    pages : Path
        Folder for the pages of an unfinished read.
    """

    client: ArcGisClient
    path: str
    pages: Path

    @cached_property
    def about(self) -> dict[str, Any]:
        """The server's description of the layer."""
        description = self.client.ask(self.path)
        formats = str(description.get("supportedQueryFormats", "")).casefold()
        if "geojson" not in formats:
            raise ConnectError(
                "The server cannot send the layer as GeoJSON",
                table=str(description.get("name", self.path)),
                cause="the server is older than ArcGIS 10.4",
                hint="export the layer to a file and read the file",
            )
        return description

    @property
    def name(self) -> str:
        """The layer's name, or its id."""
        return str(self.about.get("name") or self.path)

    @cached_property
    def fields(self) -> list[dict[str, Any]]:
        """The layer's fields, with name and type."""
        listed = self.about.get("fields")
        return objects(listed, "fields", place=self.name, keys=("name", "type"))

    @property
    def id_field(self) -> str:
        """Name of the field that identifies a feature."""
        id_fields = [f["name"] for f in self.fields if f["type"] == "esriFieldTypeOID"]
        return str(self.about.get("objectIdField") or (id_fields[0] if id_fields else "OBJECTID"))

    def columns(self) -> list[SourceColumn]:
        """The layer's fields, with the shape as ``geometry``."""
        fields = [
            SourceColumn(f["name"], f["type"], bool(f.get("nullable", True)))
            for f in self.fields
            if f["type"] != "esriFieldTypeGeometry"
        ]
        kind = self.about.get("geometryType")
        return [*fields, SourceColumn(GEOMETRY, kind, True)] if kind else fields

    def freshness(self) -> str:
        """When the layer was last edited; empty if the server does not say."""
        info = self.about.get("editingInfo")
        if not isinstance(info, dict):
            return ""
        mark = info.get("dataLastEditDate") or info.get("lastEditDate")
        return f"edited at {mark}" if mark else ""

    def count(self, where: str) -> int:
        """Number of features."""
        answer = self.client.ask(f"{self.path}/query", where=where, returnCountOnly="true")
        return whole_number(answer.get("count"), "count of features", place=self.name)

    def read(self, names: Sequence[str], where: str) -> Iterator[pa.Table]:
        """Pages in id order; pages left by an earlier read are taken from disk.

        Raises
        ------
        TransientError
            The layer was edited during the read.
        ConnectError
            Two features have the same id, or the server's responses contradict each other or are
            malformed.
        """
        ids = self._ids(where)
        folder = self._folder(names, where, ids)
        size = self._page_rows()
        for start in range(0, len(ids), size):
            for text in self._page(folder, names, ids[start : start + size]):
                yield self._table(text, names, folder)
        shutil.rmtree(folder)

    def _page_rows(self) -> int:
        """Features per request; a server may state no limit or an invalid one."""
        told = self.about.get("maxRecordCount")
        limit = PAGE_ROWS if told is None else whole_number(told, "limit", place=self.name)
        return min(limit, PAGE_ROWS) if limit > 0 else PAGE_ROWS

    def _ids(self, where: str) -> list[int]:
        """Ids of all features; must match the server's count."""
        answer = self.client.ask(f"{self.path}/query", where=where, returnIdsOnly="true")
        given = answer.get("objectIds") or []
        listed = given if isinstance(given, list) else [given]
        ids = sorted(whole_number(item, "feature id", place=self.name) for item in listed)
        count = self.count(where)
        if len(ids) == count:
            return ids
        kind = TransientError if ids else ConnectError
        raise kind(
            f"The server counts {count} features but lists ids for {len(ids)}",
            table=self.name,
            count=abs(count - len(ids)),
            cause="the layer is being edited, or the server limits the list of ids",
            hint="run again; if it recurs, export the layer to a file and read the file",
        )

    def _folder(self, names: Sequence[str], where: str, ids: list[int]) -> Path:
        """Folder for this read's pages; pages of other and old reads are deleted."""
        mark = fingerprint(list(names), where, ids, self.freshness())
        folder = self.pages / mark
        oldest = time.time() - RESUME_HOURS * 3600
        for other in self.pages.glob("*"):
            if other != folder or (not self.freshness() and other.stat().st_mtime < oldest):
                shutil.rmtree(other)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _page(self, folder: Path, names: Sequence[str], ids: list[int]) -> Iterator[str]:
        """The features with these ids, requested in halves if they are too many for the server."""
        path = folder / f"{ids[0]}-{ids[-1]}.json"
        if path.is_file():
            yield path.read_text(encoding="utf-8")
            return
        fields = [name for name in names if name != GEOMETRY]
        answer = self.client.ask(
            f"{self.path}/query",
            objectIds=",".join(map(str, ids)),
            outFields=",".join(dict.fromkeys([self.id_field, *fields])),
            returnGeometry=str(GEOMETRY in names).lower(),
            outSR=4326,
            f="geojson",
        )
        if _cut_short(answer) and len(ids) > 1:
            half = len(ids) // 2
            yield from self._page(folder, names, ids[:half])
            yield from self._page(folder, names, ids[half:])
            return
        self._check(answer, ids)
        text = json.dumps(answer)
        write_text(path, text)
        yield text

    def _check(self, found: dict[str, Any], ids: list[int]) -> None:
        sent = objects(found.get("features"), "features", place=self.name)
        got = [self._id(feature) for feature in sent]
        if len(set(got)) < len(got):
            raise ConnectError(
                "More than one feature has the same id",
                table=self.name,
                column=self.id_field,
                count=len(got) - len(set(got)),
                cause="the layer is a view whose id field is not unique",
                hint="ask the layer's owner for a layer with unique ids",
            )
        if set(got) != set(ids):
            raise TransientError(
                "The layer was edited during the read",
                table=self.name,
                count=len(set(got) ^ set(ids)),
                examples=sorted(set(got) ^ set(ids)),
            )

    def _id(self, feature: dict[str, Any]) -> int:
        properties = feature.get("properties") or {}
        feature_id = feature.get("id", -1)
        if isinstance(properties, dict):
            feature_id = properties.get(self.id_field, feature_id)
        return whole_number(feature_id, "feature id", place=self.name)

    def _table(self, text: str, names: Sequence[str], folder: Path) -> pa.Table:
        """A page as the columns `names`; unreadable pages are not kept in `folder`."""
        try:
            return self._columns(text, names)
        except ConnectError:
            shutil.rmtree(folder)
            raise

    def _columns(self, text: str, names: Sequence[str]) -> pa.Table:
        """The layer's field types, not the values, determine what is a date."""
        import pyogrio
        from pyogrio.errors import DataSourceError

        try:
            _, table = pyogrio.read_arrow(text.encode(), DATE_AS_STRING="YES")
        except DataSourceError as error:
            raise ConnectError(
                "The features are not GeoJSON",
                table=self.name,
                examples=[text[:80]],
                hint="export the layer to a file and read the file",
            ) from error
        dates = {f["name"] for f in self.fields if f["type"] == MILLISECONDS}
        columns = {}
        for name in names:
            found = "wkb_geometry" if name == GEOMETRY else name
            column = table[found] if found in table.column_names else pa.nulls(table.num_rows)
            if name in dates:
                column = moments(column, name=name, place=self.name)
            columns[name] = column
        return pa.table(columns)


def _cut_short(found: dict[str, Any]) -> bool:
    """Whether the server says that there is more; GeoJSON has the flag in one of two places."""
    inner = found.get("properties")
    exceeded = inner.get("exceededTransferLimit") if isinstance(inner, dict) else False
    return bool(found.get("exceededTransferLimit") or exceeded)
