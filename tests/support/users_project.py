"""Projects of counties with users files, for tests of who may do what."""

import json
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from terrafusion_lib.core.settings import Settings

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PASSWORD = "a long password"
ANN = {"username": "ann", "password_hash": QUICK.hash(PASSWORD)}


def add_county(root: Path, county_id: str, *users: dict[str, Any], **file: Any) -> Path:
    """Configure a county; returns where its users file is, written when users are given."""
    folder = root / "county_configs" / county_id
    (folder / "rbac").mkdir(parents=True)
    (folder / "county.yaml").write_text(
        f"county_id: {county_id}\nname: {county_id}\nassessment_year: 2026\n"
        "state: WA\ncrs: EPSG:2927\n"
        "sources: {pacs: {connector: file_connector}}\nmapping: mappings/m.yaml\n"
        f"users: rbac/{county_id}_users.json\n"
    )
    path = folder / "rbac" / f"{county_id}_users.json"
    if users:
        path.write_text(json.dumps({"county_id": county_id, "users": users} | file))
    return path


@pytest.fixture
def users_project(tmp_path: Path) -> Settings:
    """Ann is benton_wa's analyst and king_wa's auditor; Bob has no password yet."""
    add_county(
        tmp_path,
        "benton_wa",
        ANN | {"roles": ["analyst"]},
        {"username": "bob", "roles": ["clerk"]},
    )
    add_county(tmp_path, "king_wa", {"username": "ann", "roles": ["auditor"]})
    return Settings(root=tmp_path, data_dir=tmp_path / "data", user="tester")


@pytest.fixture
def password() -> str:
    return PASSWORD
