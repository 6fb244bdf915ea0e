"""Classes of a number on a map: their limits, their colors, and the class of a value."""

import numpy as np
import pytest

from terrafusion_lib.geo.class_breaks import DIVERGING, SEQUENTIAL, class_breaks


def test_breaks_are_quantiles_rounded_and_without_repeats() -> None:
    found = class_breaks(np.arange(0.0, 601.0))
    assert found
    assert found.breaks == (100, 200, 300, 400, 500)
    assert found.colors == SEQUENTIAL
    uneven = class_breaks(np.array([1.0] * 50 + [2.0, 30.0]))
    assert uneven
    assert uneven.breaks == ()
    assert class_breaks(np.array([np.nan, np.inf])) is None


def test_every_value_has_a_class_and_a_missing_one_has_none() -> None:
    found = class_breaks(np.arange(0.0, 601.0))
    assert found
    values = np.array([0.0, 100.0, 250.0, 600.0, np.nan])
    assert found.class_of(values).tolist() == [0, 1, 2, 5, -1]
    limits = list(found)
    for value, place in zip(values[:-2], found.class_of(values[:-2]), strict=True):
        low, high, _ = limits[place]
        assert low <= value < high


VALUES = {
    "mostly rising": np.concatenate([np.linspace(1, 12, 400), [-3.0]]),
    "only rising": np.linspace(2, 30, 50),
    "one value": np.array([5.0, 5.0]),
    "two values": np.array([-1.0, 4.0]),
    "with zeros": np.array([0.0] * 90 + [-2.0, 8.0, np.nan]),
}
RED, BLUE = DIVERGING[:2], DIVERGING[3:]


@pytest.mark.parametrize("center", [0.0, 1.0])
@pytest.mark.parametrize("name", VALUES)
def test_diverging_classes_are_symmetric_and_keep_to_their_side(name: str, center: float) -> None:
    values = VALUES[name] + center
    found = class_breaks(values, center=center)
    assert found
    classes = list(found)
    assert classes[0][0] <= np.nanmin(values)
    assert classes[-1][1] >= np.nanmax(values)
    for low, high, color in classes:
        assert (color in BLUE) == (low >= center), (low, high, color)
        assert (color in RED) == (high <= center), (low, high, color)
    edges = [found.low, *found.breaks, found.high]
    np.testing.assert_allclose(np.add(edges, edges[::-1]), 2 * center)


def test_all_at_the_center_is_one_neutral_class() -> None:
    found = class_breaks(np.array([1.0, 1.0]), center=1.0)
    assert found
    assert [color for _, _, color in found] == [DIVERGING[2]]
