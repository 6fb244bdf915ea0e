"""Arithmetic that gives the same bits on every processor.

Logarithms, exponentials and linear algebra differ in their last bits between processors: libraries
choose kernels by processor, and each kernel sums in its own order. Where such a number decides
something (which sale is nearer, where a tree splits, when a search stops), its last bit can become
a visible difference. Everything that affects a valuation is therefore computed here with
additions, multiplications, divisions, square roots and rounding only, whose results IEEE 754 fixes
exactly, in a set order.
"""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

LN2_HIGH = float.fromhex("0x1.62e42feep-1")
"""The first 33 bits of ln 2: its product with an exponent is exact."""
LN2_LOW = float.fromhex("0x1.a39ef35793c76p-33")
LOG2_E = float.fromhex("0x1.71547652b82fep+0")
_LOG_TERMS = tuple(1 / (2 * k + 1) for k in range(11, 0, -1))
_EXP_TERMS = tuple(1 / float(np.prod(np.arange(1.0, k + 1))) for k in range(14, 1, -1))
_QUARTER = np.pi / 2
BLOCK = 2_048
"""Rows whose products are summed as whole numbers: 2^11 of them, each below 2^42."""
BITS = 21


def log(values: FloatArray | float) -> FloatArray:
    """Natural logarithm, within two units in the last place; NaN below zero, -inf at zero.

    From the series of the inverse hyperbolic tangent: ln m = 2 artanh((m - 1) / (m + 1)), where m
    is the mantissa between the square roots of 1/2 and 2.
    """
    values = np.asarray(values, dtype=np.float64)
    mantissa, exponent = np.frexp(values)
    low = mantissa < np.sqrt(0.5)
    mantissa = np.where(low, mantissa * 2, mantissa)
    power = exponent - low
    with np.errstate(invalid="ignore", divide="ignore"):
        part = (mantissa - 1) / (mantissa + 1)
    square = part * part
    series = np.full_like(square, _LOG_TERMS[0])
    for term in _LOG_TERMS[1:]:
        series *= square
        series += term
    logarithm = power * LN2_HIGH + (2 * (part + part * square * series) + power * LN2_LOW)
    logarithm = np.where(values > 0, logarithm, np.where(values == 0, -np.inf, np.nan))
    return np.where(values == np.inf, np.inf, logarithm)


def exp(values: FloatArray | float) -> FloatArray:
    """Exponential, within two units in the last place; zero or infinite outside the range."""
    values = np.asarray(values, dtype=np.float64)
    inside = np.clip(np.nan_to_num(values, nan=0.0), -745.0, 709.78)
    power = np.rint(inside * LOG2_E)
    rest = (inside - power * LN2_HIGH) - power * LN2_LOW
    series = np.full_like(rest, _EXP_TERMS[0])
    for term in _EXP_TERMS[1:]:
        series *= rest
        series += term
    exponential = np.ldexp(1 + (rest + rest * rest * series), power.astype(np.int64))
    exponential = np.where(values > 709.78, np.inf, np.where(values < -745.0, 0.0, exponential))
    return np.where(np.isnan(values), np.nan, exponential)


def wave(turns: FloatArray | float) -> tuple[FloatArray, FloatArray]:
    """Cosine and sine of 2 pi times `turns`.

    By their series for a quarter of the angle, which is then doubled twice.
    """
    angle = (turns - np.rint(turns)) * _QUARTER
    square = angle * angle
    cosine, sine = np.ones_like(square), np.ones_like(square)
    for k in range(10, 0, -1):
        cosine = 1 - cosine * square / ((2 * k - 1) * (2 * k))
        sine = 1 - sine * square / ((2 * k) * (2 * k + 1))
    sine = sine * angle
    for _ in range(2):
        cosine, sine = cosine * cosine - sine * sine, 2 * cosine * sine
    return cosine, sine


def length(x: FloatArray, y: FloatArray) -> FloatArray:
    """Length of two-dimensional vectors."""
    root: FloatArray = np.sqrt(x * x + y * y)
    return root


def product(matrix: FloatArray, vector: FloatArray) -> FloatArray:
    """``matrix @ vector``, summed column by column; fastest if columns are contiguous."""
    total = np.zeros(matrix.shape[0])
    part = np.empty_like(total)
    for column, factor in enumerate(vector.tolist()):
        if factor:
            np.multiply(matrix[:, column], factor, out=part)
            total += part
    return total


def gram(matrix: FloatArray) -> FloatArray:
    """``matrix.T @ matrix``, each column rounded to 21 bits of its largest entry.

    Products of whole numbers below 2^21 over 2,048 rows are whole numbers below 2^53, whose sum is
    exact in any order; block sums are added in order. Rounding is about a millionth of a column's
    largest entry, far below the precision of any price.
    """
    largest = np.max(np.abs(matrix), axis=0, initial=0.0)
    exponent = BITS - np.frexp(largest)[1]
    scale = np.ldexp(1.0, exponent)
    total = np.zeros((matrix.shape[1], matrix.shape[1]))
    for first in range(0, matrix.shape[0], BLOCK):
        whole = np.rint(matrix[first : first + BLOCK] * scale)
        total += whole.T @ whole
    products: FloatArray = total / scale / scale[:, None]
    return products


def solve(matrix: FloatArray, right: FloatArray) -> FloatArray:
    """Solution of a symmetric positive definite system, by Cholesky's decomposition.

    Parameters
    ----------
    right : array
        One right-hand side, or one per column.

    Raises
    ------
    numpy.linalg.LinAlgError
        The matrix is not positive definite.
    """
    size = len(matrix)
    rest = np.array(matrix, dtype=np.float64)
    solution = np.array(right, dtype=np.float64).reshape(size, -1)
    for step in range(size):
        pivot = rest[step, step]
        if not pivot > 0:
            raise np.linalg.LinAlgError("Matrix is not positive definite")
        below = rest[step + 1 :, step] / pivot
        rest[step + 1 :, step + 1 :] -= below[:, None] * rest[step, step + 1 :]
        solution[step + 1 :] -= below[:, None] * solution[step]
    for step in range(size - 1, -1, -1):
        solution[step] /= rest[step, step]
        solution[:step] -= rest[:step, step, None] * solution[step]
    return solution.reshape(np.shape(right))
