"""A missing service skips on a laptop and fails in CI, always with its reason."""

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def require(condition: object, reason: str) -> None:
    """Skip with `reason` unless `condition`; under CI=true fail instead."""
    if condition:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def require_program(name: str, package: str) -> str:
    """Path of a program, or skip/fail naming the Debian package that has it."""
    found = shutil.which(name)
    require(found, f"{name} is not installed: apt-get install {package}")
    assert found
    return found


def real_data(name: str) -> Path:
    """A public sales file below TERRAFUSION_DATA (else ../shared/data); skips where absent."""
    folder = Path(os.environ.get("TERRAFUSION_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / name).is_file():
        pytest.skip(f"{folder / name} is absent: set TERRAFUSION_DATA to the folder that holds it")
    return folder / name
