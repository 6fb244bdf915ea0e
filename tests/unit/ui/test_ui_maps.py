"""Parcel maps: classes, legend, and browser code that asks nothing of the network."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import shapely

from terrafusion_lib.core.errors import MissingDependencyError
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


def test_breaks_are_quantiles_rounded_and_without_repeats() -> None:
    breaks = maps.class_breaks(np.arange(0.0, 601.0), classes=6)
    assert breaks.tolist() == [100, 200, 300, 400, 500]
    assert maps.class_breaks(np.full(9, 0.5)).tolist() == [0.5]
    assert maps.class_breaks(np.array([np.nan, np.inf])).tolist() == []


def test_every_value_has_a_class_and_a_missing_one_has_none() -> None:
    found = maps.classify(np.array([0.0, 100.0, 250.0, np.nan]), np.array([100.0, 200.0]))
    assert found.tolist() == [0, 1, 2, -1]


def test_a_legend_counts_every_parcel_once() -> None:
    values = [float(k) for k in range(100)] + [None] * 7
    shown = maps.legend(parcels(values), column="value", title="Value <US dollars>")
    counts = [int(part.split(")")[0]) for part in shown.split("(n ")[1:]]
    assert sum(counts) == 107
    assert "no value (n 7)" in shown
    assert "Value &lt;US dollars&gt;" in shown
    for color in (*maps.COLORS, maps.NO_VALUE):
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
