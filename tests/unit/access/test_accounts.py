"""Accounts: passwords kept as hashes only, and set by who may edit users."""

import json
from pathlib import Path

import pytest

from terrafusion_lib.access.accounts import check_password, list_accounts, set_password
from terrafusion_lib.core.errors import AccessDeniedError, ConfigError
from terrafusion_lib.core.settings import Settings
from tests.support.users_project import add_county

COUNTY = "benton_wa"
NEW = "correct horse battery"


@pytest.fixture
def admin(users_project: Settings) -> Settings:
    """Settings of Ivo, who may edit the users of a county beside Ann and Bob."""
    path = users_project.root / f"county_configs/{COUNTY}/rbac/{COUNTY}_users.json"
    data = json.loads(path.read_text())
    data["users"].append({"username": "ivo", "roles": ["it_admin"]})
    path.write_text(json.dumps(data))
    return users_project.model_copy(update={"user": "ivo"})


def _file(settings: Settings) -> str:
    folder = settings.root / f"county_configs/{COUNTY}"
    return (folder / f"rbac/{COUNTY}_users.json").read_text()


def test_passwords(users_project: Settings, password: str) -> None:
    assert check_password("ann", password, users_project)
    assert not check_password("ann", password + "x", users_project)
    assert not check_password("ann", "", users_project)
    assert not check_password("bob", "", users_project)  # no password set yet
    assert not check_password("nobody", password, users_project)


def test_set_password_keeps_the_hash_and_nothing_else_changes(admin: Settings) -> None:
    before = json.loads(_file(admin))
    set_password(COUNTY, "bob", lambda: NEW, admin)
    assert check_password("bob", NEW, admin)
    assert NEW not in _file(admin)
    after = json.loads(_file(admin))
    assert after["users"][1].pop("password_hash").startswith("$argon2id$")
    assert after == before


def test_a_short_password_is_refused(admin: Settings) -> None:
    before = _file(admin)
    with pytest.raises(ConfigError, match="10 characters"):
        set_password(COUNTY, "bob", lambda: "short", admin)
    assert _file(admin) == before


@pytest.mark.parametrize(
    ("user", "username", "error"),
    [
        ("ivo", "anne", ConfigError),
        ("ann", "bob", AccessDeniedError),
        ("mallory", "mallory", AccessDeniedError),
    ],
)
def test_nobody_is_asked_for_a_password_in_vain(
    admin: Settings, user: str, username: str, error: type[Exception]
) -> None:
    def ask() -> str:
        raise AssertionError("asked")

    with pytest.raises(error):
        set_password(COUNTY, username, ask, admin.model_copy(update={"user": user}))


def test_a_county_without_a_users_file_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TERRAFUSION_USER", raising=False)
    add_county(tmp_path, COUNTY)
    with pytest.raises(ConfigError, match="no users file"):
        set_password(COUNTY, "bob", lambda: NEW, Settings(root=tmp_path))


def test_the_first_password_is_set_at_the_keyboard_and_ends_that_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TERRAFUSION_USER", raising=False)
    bob, ann = ({"username": name, "roles": ["it_admin"]} for name in ("bob", "ann"))
    add_county(tmp_path, COUNTY, bob, ann)
    keyboard = Settings(root=tmp_path)
    set_password(COUNTY, "bob", lambda: NEW, keyboard)
    with pytest.raises(AccessDeniedError):
        set_password(COUNTY, "ann", lambda: NEW, keyboard)
    set_password(COUNTY, "ann", lambda: NEW, Settings(root=tmp_path, user="bob"))
    assert check_password("ann", NEW, keyboard)


def test_accounts_tell_who_can_log_in_and_no_hash(admin: Settings) -> None:
    listed = {row["user"]: row for row in list_accounts(COUNTY, admin)}
    assert [row["can log in"] for row in listed.values()] == [True, False, False]
    assert "argon2" not in str(listed)
