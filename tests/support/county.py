"""A small project of its own for tests that run the whole pipeline: a copy of what a run reads."""

import shutil
from pathlib import Path

from terrafusion_lib.core.settings import Settings
from terrafusion_lib.demo.generate import generate
from tests.support.require import ROOT

PARCELS = 600


def project(folder: Path, *, operational_url: str = "", user: str = "ana") -> Settings:
    """Copy configuration, suites, notebooks and the DAG to `folder`; returns its settings.

    The user is the demo county's analyst unless another is named.
    """
    for name in ("county_configs", "dashboards", "expectations", "notebooks"):
        ignored = shutil.ignore_patterns(".ipynb_checkpoints", "*-ipc-*")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    shutil.copy(ROOT / "pipeline.yaml", folder)
    return Settings(
        root=folder, data_dir=folder / "data", operational_url=operational_url, user=user
    )


def demo_project(folder: Path, *, operational_url: str = "") -> Settings:
    """A project with the small demo county generated."""
    settings = project(folder, operational_url=operational_url)
    generate(settings.county_data("demo_wa"), parcels=PARCELS)
    return settings
