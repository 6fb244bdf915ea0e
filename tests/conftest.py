"""Shared fixtures."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

# Threads of LightGBM that wait for work must not spin: the tests' processes share the cores.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# A busy machine is no fault of what is tested.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")

pytest_plugins = ["tests.support.postgres", "tests.support.users_project"]


LONGEST = ("e2e", "notebooks", "services", "browser")
"""Folders whose files take minutes."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where files run side by side the longest begin first, so that all end together."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.path.relative_to(ROOT / "tests").parts[0] not in LONGEST)


@pytest.fixture(scope="session")
def finished_project(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, dict[str, Any]]:
    """Settings of a project whose small demo county has been run, and that run's summary."""
    from terrafusion_lib.runs.runner import RunOptions, run_county
    from tests.support.county import demo_project

    settings = demo_project(tmp_path_factory.mktemp("project"))
    return settings, run_county("demo_wa", RunOptions(note="first"), settings)
