"""The demo from nothing to its report, against the same steps as functions of one process.

    python benchmarks/demo_run.py                     20,000 parcels
    python benchmarks/demo_run.py --parcels 80000     all of Benton
    python benchmarks/demo_run.py --quick             1,000 parcels

The raw limit is what no arrangement of notebooks and kernels can save: generating the county and
calling the function of each step in turn, everything imported before. Limits of the demo on two
quiet cores: 40 s for 20,000 parcels, 2 min 15 s for 80,000, and 5 s for a run after which nothing
has changed.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import psutil

from terrafusion_lib.core.county import load_county
from terrafusion_lib.core.progress import silent
from terrafusion_lib.core.settings import Settings, get_settings
from terrafusion_lib.demo.generate import generate
from terrafusion_lib.pipelines.open_step import open_step
from terrafusion_lib.pipelines.plan import make_plan
from terrafusion_lib.pipelines.step import staging_folder
from terrafusion_lib.pipelines.steps import steps
from terrafusion_lib.plugins.registry import load_plugin

COUNTY, RUN = "demo_wa", "raw-limit"
FUNCTIONS = {
    "10_connect": "connect",
    "20_map": "map_source",
    "30_validate": "validate",
    "40_load": "load",
    "50_specialize": "specialize",
    "60_value": "run_plugin",
    "70_report": "report",
}


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock, and of processors with those of ended children."""

    wall: float
    processor: float

    def __str__(self) -> str:
        return f"{self.wall:8.1f} s  {self.processor:8.1f} s of processors"


def cost(work: Callable[[], object]) -> Cost:
    """What `work` costs."""
    started, before = time.perf_counter(), _processor()
    work()
    return Cost(time.perf_counter() - started, _processor() - before)


def _processor() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def demo(data: Path, parcels: int) -> None:
    """The user's command, in a process of its own."""
    command = [sys.executable, "-m", "terrafusion_lib.cli", "demo", "run"]
    environment = os.environ | _settings(data).environment()
    subprocess.run(
        [*command, "--parcels", str(parcels)],
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )


def functions(data: Path) -> dict[str, Cost]:
    """Each step's function, in this process."""
    settings = _settings(data)
    plan = make_plan(load_county(COUNTY, settings), settings)
    plan.write(staging_folder(settings, COUNTY, RUN))
    costs = {}
    for name, function in FUNCTIONS.items():
        step = open_step(name, county=COUNTY, run_id=RUN, settings=settings, progress=silent)
        work = getattr(import_module(steps()[name].entry), function)
        costs[name] = cost(lambda work=work, step=step: work(step))
    return costs


def _settings(data: Path) -> Settings:
    return Settings(root=get_settings().root, data_dir=data, operational_url="")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parcels", type=int, default=20_000)
    parser.add_argument("--quick", action="store_true", help="1,000 parcels")
    options = parser.parse_args()
    parcels = 1_000 if options.quick else options.parcels
    print(f"{parcels:,} parcels; load of the machine before: {psutil.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        whole = cost(lambda: demo(data, parcels))
        again = cost(lambda: demo(data, parcels))
    load_plugin("valuation")
    for module in {module for spec in steps().values() for module in spec.early}:
        import_module(module)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        costs = {"generate": cost(lambda: generate(data / COUNTY, parcels=parcels))}
        costs |= functions(data)
    for name, item in costs.items():
        print(f"  {name:14} {item}")
    limit = sum(item.wall for item in costs.values())
    print(f"raw limit        {Cost(limit, sum(item.processor for item in costs.values()))}")
    print(f"demo             {whole}")
    print(f"unchanged again  {again}")
    print(f"demo / raw limit {whole.wall / limit:8.2f}")


if __name__ == "__main__":
    main()
