"""Parcel maps: classes, legend, and browser code that asks nothing of the network."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import shapely

from terrafusion_lib.core.errors import MissingDependencyError
from terrafusion_lib.geo.class_breaks import SEQUENTIAL
from terrafusion_lib.plugins.gis_export.write.styles import style_of
from terrafusion_lib.ui import maps


@pytest.fixture
def another_lonboard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "index.js").write_text("export default {}")
    monkeypatch.setattr(maps, "bundler_output_dir", tmp_path)
    maps.offline_module.cache_clear()
    yield
    maps.offline_module.cache_clear()


def parcels(values: list[float | None], **more: list[str]) -> pa.Table:
    shapes = [
        shapely.box(-119 + k / 100, 46, -119 + k / 100 + 0.01, 46.01).wkb
        for k in range(len(values))
    ]
    return pa.table({"geometry": shapes, "value": pa.array(values, pa.float64()), **more})


def test_the_browser_code_loads_nothing_from_outside() -> None:
    original = (maps.bundler_output_dir / "index.js").read_text(encoding="utf-8")
    code = maps.offline_module()
    assert "earcutWorkerUrl:null" in code
    for pattern, _ in maps.OFFLINE:  # decoder's download, decoder, triangulation worker
        assert re.search(pattern, original)
        assert not re.search(pattern, code)


def test_another_lonboard_is_refused_with_the_version_to_install(another_lonboard: None) -> None:
    with pytest.raises(MissingDependencyError, match=r"pip install lonboard==0\.17\.0"):
        maps.offline_module()


def test_a_legend_counts_every_parcel_once() -> None:
    values = [float(k) for k in range(100)] + [None] * 7
    shown = maps.legend(parcels(values), column="value", title="Value <US dollars>")
    counts = [int(part.split(")")[0]) for part in shown.split("(n ")[1:]]
    assert sum(counts) == 107
    assert "no value (n 7)" in shown
    assert "Value &lt;US dollars&gt;" in shown
    for color in (*SEQUENTIAL, maps.NO_VALUE):
        # A notebook has no style sheet that would give the swatch its size.
        assert f"{maps.SWATCH}; background: {color}" in shown


def test_a_legend_of_no_values_says_so() -> None:
    shown = maps.legend(parcels([None, None]), column="value", title="t")
    assert "no value (n 2)" in shown
    assert shown.count("swatch") == 1


def test_a_map_has_no_basemap_and_a_color_per_class() -> None:
    table = parcels([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, None], situs=list("abcdefg"))
    shown = maps.parcel_map(table, column="value", hover=("situs",))
    assert shown.basemap is None
    (layer,) = shown.layers
    colors = {tuple(color) for color in pa.chunked_array(layer.get_fill_color).to_pylist()}
    assert len(colors) == 7  # six classes and gray
    assert (217, 217, 217) in colors
    assert layer.pickable


def test_layers_are_sent_as_plain_arrow() -> None:
    batch = pa.record_batch({"a": [1, 2]})
    sent = maps._as_arrow_stream(batch)
    assert pa.ipc.open_stream(sent).read_all().to_pydict() == {"a": [1, 2]}


@pytest.mark.parametrize("center", [None, 0.0])
def test_a_parcel_has_the_same_color_on_screen_and_in_qgis(center: float | None) -> None:
    values = np.random.default_rng(1).normal(0.1, 0.2, 200)
    shown = maps.parcel_map(parcels(values.tolist()), column="value", center=center)
    [layer] = shown.layers
    on_screen = [tuple(color) for color in pa.chunked_array(layer.get_fill_color).to_pylist()]
    style = style_of(values, "value", "MultiPolygon", center=center)
    assert style
    renderer = ET.fromstring(style.qml()).find("renderer-v2")
    assert renderer is not None
    colors = [item.get("value", "") for item in renderer.findall(".//Option[@name='color']")]
    ranges = [float(item.get("lower", "")) for item in renderer.findall("ranges/range")]
    of_value = np.searchsorted(ranges, values, side="right") - 1
    in_qgis = [tuple(int(part) for part in colors[index].split(",")[:3]) for index in of_value]
    assert on_screen == in_qgis
