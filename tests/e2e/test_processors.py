"""The same inputs give the same tables on any processor, with any threads, rows in any order."""

import os
import platform
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from terrafusion_lib.core.settings import Settings
from terrafusion_lib.demo.generate import generate
from terrafusion_lib.runs.runner import RunOptions, run_county
from tests.support.require import ROOT, real_data

RELATIVE = 1e-9
PLAIN_LIBM = "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4,-AVX512F"
"""The C library without the kernels that it chooses by processor."""


def plain_numpy() -> str:
    from numpy._core._multiarray_umath import __cpu_dispatch__

    return " ".join(__cpu_dispatch__)


def processors() -> dict[str, tuple[dict[str, str], list[str]]]:
    """Environments that stand in for other processors, with options of the run."""
    if platform.machine() != "x86_64":
        return {"plain_numpy": ({"NPY_DISABLE_CPU_FEATURES": plain_numpy()}, ["--threads", "2"])}
    plain = {"NPY_DISABLE_CPU_FEATURES": plain_numpy(), "GLIBC_TUNABLES": PLAIN_LIBM}
    found = {
        "nehalem": ({"OPENBLAS_CORETYPE": "Nehalem"} | plain, ["--threads", "1"]),
        "sandybridge": ({"OPENBLAS_CORETYPE": "Sandybridge"}, ["--shuffle", "7"]),
        "haswell": ({"OPENBLAS_CORETYPE": "Haswell"}, ["--threads", "2", "--shuffle", "3"]),
    }
    cpu = Path("/proc/cpuinfo")
    if cpu.is_file() and "avx512f" in cpu.read_text():
        found["skylakex"] = ({"OPENBLAS_CORETYPE": "SkylakeX"}, ["--threads", "2"])
    return found


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Tables by processor; ``here`` is the one of this machine."""
    folder = tmp_path_factory.mktemp("processors")
    settings = Settings(root=ROOT, data_dir=folder / "data", operational_url="", user="ana")
    generate(settings.county_data("demo_wa"), parcels=3_000)
    run_county("demo_wa", RunOptions(last="40_load"), settings)
    data = real_data("kc_house_data.csv").parent

    def valued(name: str) -> Path:
        environment, options = ({"here": ({}, [])} | processors())[name]
        command = [sys.executable, "-m", "tests.support.valued_again", str(folder / name), "--king"]
        command += ["--database", settings.operational_database_url, *options]
        given = {key: value for key, value in os.environ.items() if not key.startswith("OPENBLAS")}
        given |= {
            "TERRAFUSION_DATA": str(data),
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'benchmarks'}",
        } | environment
        done = subprocess.run(
            command, cwd=ROOT, env=given, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-3_000:]
        return folder / name

    names = ["here", *processors()]
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(names, pool.map(valued, names), strict=True))


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize("name", list(processors()))
def test_a_processor_changes_no_table(name: str, outcomes: dict[str, Path]) -> None:
    tables = sorted(path.name for path in outcomes["here"].glob("*.parquet"))
    assert len(tables) > 10
    for table in tables:
        one, other = (pq.read_table(outcomes[which] / table) for which in ("here", name))
        assert one.num_rows == other.num_rows > 0, table
        for column in one.column_names:
            apart = differences(one[column], other[column])
            assert apart == 0, f"{table}: {column} differs in {apart} of {one.num_rows} rows"


def differences(one: pa.ChunkedArray, other: pa.ChunkedArray) -> int:
    """Rows that differ: by more than one part in 10^9 for numbers, at all for everything else."""
    unknown = pc.xor(pc.is_null(one), pc.is_null(other))
    if pa.types.is_floating(one.type):
        size = pc.max_element_wise(pc.abs(one), pc.abs(other), 1.0)
        differs = pc.greater(pc.abs(pc.subtract(one, other)), pc.multiply(size, RELATIVE))
    else:
        differs = pc.not_equal(one, other)
    return int(pc.sum(pc.or_(unknown, pc.fill_null(differs, False))).as_py() or 0)
