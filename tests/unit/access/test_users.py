"""Users files: read strictly, hashes only, groups over all counties."""

import json
from pathlib import Path
from typing import Any

import pytest

from terrafusion_lib.access.users import all_users, groups_of, read_users
from terrafusion_lib.core.county import list_counties
from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.core.settings import Settings
from tests.support.require import ROOT

BENTON = "county_configs/benton_wa/rbac/benton_wa_users.json"


def _written(path: Path, *users: dict[str, Any]) -> Path:
    path.write_text(json.dumps({"county_id": "benton_wa", "users": users}))
    return path


@pytest.mark.parametrize(
    ("user", "message"),
    [
        ({"username": "ann", "roles": ["analist"]}, "did you mean analyst"),
        ({"username": "ann", "roles": [], "password_hash": "hunter2"}, "plain password"),
        ({"username": "Ann Lee", "roles": []}, "username"),
        ({"username": "ann", "rolls": []}, "roles"),
    ],
)
def test_a_bad_user_is_refused_in_words(tmp_path: Path, user: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_users(_written(tmp_path / "users.json", user))


def test_a_plain_password_is_not_repeated_in_the_message(tmp_path: Path) -> None:
    path = _written(
        tmp_path / "users.json", {"username": "ann", "roles": [], "password_hash": "hunter2"}
    )
    with pytest.raises(ConfigError) as refused:
        read_users(path)
    assert "hunter2" not in str(refused.value)


def test_a_user_twice_is_refused(tmp_path: Path) -> None:
    ann = {"username": "ann", "roles": ["clerk"]}
    with pytest.raises(ConfigError, match="ann is listed twice"):
        read_users(_written(tmp_path / "users.json", ann, ann))


def test_a_missing_or_broken_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        read_users(tmp_path / "users.json")
    (tmp_path / "users.json").write_text('{"county_id": ')
    with pytest.raises(ConfigError, match="not valid JSON at line 1"):
        read_users(tmp_path / "users.json")


def test_a_file_of_another_county_is_refused(users_project: Settings) -> None:
    path = users_project.root / BENTON
    path.write_text(json.dumps({"county_id": "king_wa", "users": []}))
    with pytest.raises(ConfigError, match="belongs to county king_wa, not benton_wa"):
        all_users(users_project)


def test_groups_are_over_all_counties_and_only_of_files(users_project: Settings) -> None:
    assert groups_of("ann", users_project) == ["benton_wa:analyst", "king_wa:auditor"]
    assert groups_of("nobody", users_project) == []


@pytest.mark.parametrize("county_id", list_counties(Settings(root=ROOT)))
def test_a_shipped_users_file_is_valid_and_only_the_demo_has_passwords(county_id: str) -> None:
    users = read_users(ROOT / f"county_configs/{county_id}/rbac/{county_id}_users.json")
    assert users.county_id == county_id
    with_password = [user.username for user in users.users if user.password_hash]
    assert bool(with_password) == users.sample == (county_id == "demo_wa")
    assert not users.configured
