"""Arithmetic that is the same on every processor, against the libraries that are not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrafusion_lib.stats import reproducible

RNG = np.random.default_rng(20)
BITS = [
    "-0x1.26bb1bbb55515p+1",
    "0x1.193ea7aad030bp+0",
    "0x1.9eb70bb4202fbp+3",
    "0x1.78b56362cef38p-2",
    "0x1.1aec7b35a00d4p+0",
    "0x1.86ee0c3ebfb12p+18",
    "0x1.3c6ef372fe950p-2",
    "0x1.e6f0e134454fdp-1",
]


def last_places(found: np.ndarray, true: np.ndarray) -> float:
    return float(np.max(np.abs(found - true) / np.spacing(np.abs(true))))


def test_logarithm_and_exponential_are_right_to_the_last_places() -> None:
    wide = np.exp(RNG.uniform(-700, 700, 50_000))
    near_one = 1 + RNG.normal(0, 0.1, 50_000)
    assert last_places(reproducible.log(wide), np.log(wide)) <= 3
    assert last_places(reproducible.log(near_one), np.log(near_one)) <= 3
    powers = RNG.uniform(-700, 700, 50_000)
    assert last_places(reproducible.exp(powers), np.exp(powers)) <= 3


@pytest.mark.parametrize("function", ["log", "exp"])
def test_ends_are_those_of_numpy(function: str) -> None:
    ends = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 5e-324, 1e308, -800.0, 800.0])
    with np.errstate(all="ignore"):
        expected = getattr(np, function)(ends)
    np.testing.assert_allclose(getattr(reproducible, function)(ends), expected, rtol=1e-15)


def test_bits_are_those_that_are_written_down() -> None:
    """Computed from IEEE 754's exact operations alone, so these hold on any machine."""
    found = [*reproducible.log(np.array([0.1, 3.0, 425_000.0])).tolist()]
    found += reproducible.exp(np.array([-1.0, 0.1, 12.9])).tolist()
    found += [float(part) for part in reproducible.wave(0.2)]
    assert [value.hex() for value in found] == BITS


def test_the_wave_is_cosine_and_sine() -> None:
    turns = RNG.uniform(-6, 6, 10_000)
    cosine, sine = reproducible.wave(turns)
    np.testing.assert_allclose(cosine, np.cos(2 * np.pi * turns), atol=1e-14)
    np.testing.assert_allclose(sine, np.sin(2 * np.pi * turns), atol=1e-14)


@pytest.mark.parametrize("rows", [0, 1, 5_000])
def test_a_gram_is_the_product_to_the_rounding_of_columns(rows: int) -> None:
    matrix = RNG.normal(size=(rows, 7)) * np.logspace(-6, 6, 7)
    scale = np.abs(matrix).max(axis=0, initial=1e-9)
    error = np.abs(reproducible.gram(matrix) - matrix.T @ matrix) / np.outer(scale, scale)
    assert error.max() <= max(rows, 1) * 2.0**-20


@given(st.integers(0, 1_000))
def test_a_gram_does_not_hang_on_the_order_of_rows(seed: int) -> None:
    """Sums of a block are exact, so that no order of adding can be seen in them."""
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(reproducible.BLOCK, 4))
    mixed = matrix[rng.permutation(len(matrix))]
    assert reproducible.gram(matrix).tobytes() == reproducible.gram(mixed).tobytes()


def test_products_and_solutions_agree_with_linear_algebra() -> None:
    matrix = np.asfortranarray(RNG.normal(size=(300, 20)))
    vector = RNG.normal(size=20)
    np.testing.assert_allclose(reproducible.product(matrix, vector), matrix @ vector, atol=1e-12)
    system = matrix.T @ matrix
    np.testing.assert_allclose(
        reproducible.solve(system, vector), np.linalg.solve(system, vector), rtol=1e-9
    )
    np.testing.assert_allclose(
        reproducible.solve(system, np.eye(20)), np.linalg.inv(system), rtol=1e-8, atol=1e-12
    )


def test_a_singular_system_is_refused() -> None:
    with pytest.raises(np.linalg.LinAlgError):
        reproducible.solve(np.array([[1.0, 1.0], [1.0, 1.0]]), np.ones(2))
