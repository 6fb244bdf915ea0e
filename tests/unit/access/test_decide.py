"""Who the person is, and what follows: names given, accounts, and machines without users."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from terrafusion_lib.access.decide import (
    AT_THE_KEYBOARD,
    NO_PERMISSION,
    SAID,
    UNKNOWN_USER,
    counties_with,
    grants,
    require,
)
from terrafusion_lib.access.grants import Grants
from terrafusion_lib.access.roles import ROLES
from terrafusion_lib.core.errors import AccessDeniedError, ConfigError
from terrafusion_lib.core.settings import Settings
from tests.support.users_project import ANN, add_county

NOBODY = Grants()
CLERK = {"username": "cleo", "roles": ["clerk"]}


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> None:
    """The account of the operating system is Olga, whom nobody gave."""
    monkeypatch.delenv("TERRAFUSION_USER", raising=False)
    monkeypatch.setenv("LOGNAME", "Olga")
    monkeypatch.delenv(SAID, raising=False)


def at(root: Path, name: str | None = None) -> Settings:
    return Settings(root=root, **({"user": name} if name else {}))


def test_a_name_given_has_the_roles_of_the_county_and_no_others(users_project: Settings) -> None:
    ann = at(users_project.root, "ann")
    assert grants(ann, "benton_wa") == ROLES["analyst"]
    assert grants(ann, "king_wa") == ROLES["auditor"]
    assert grants(at(users_project.root, "bob"), "benton_wa") == ROLES["clerk"]
    assert grants(at(users_project.root, "bob"), "king_wa") == NOBODY


@pytest.mark.parametrize("users", [(), (CLERK,), (ANN | {"roles": ["clerk"]},)])
@pytest.mark.parametrize("sample", [True, False])
def test_a_name_given_that_no_file_has_is_nobody(
    tmp_path: Path, users: tuple, sample: bool
) -> None:
    add_county(tmp_path, "benton_wa", *users, sample=sample)
    assert grants(at(tmp_path, "mallory"), "benton_wa") == NOBODY
    with pytest.raises(AccessDeniedError) as refused:
        require(at(tmp_path, "mallory"), "benton_wa", "dashboard:view")
    assert refused.value.reason_code == UNKNOWN_USER


@pytest.mark.parametrize("users", [(), (CLERK,)])
def test_where_nobody_has_configured_users_the_keyboard_is_the_analyst(
    tmp_path: Path, users: tuple
) -> None:
    add_county(tmp_path, "benton_wa", *users)
    granted = require(at(tmp_path), "benton_wa", "pipeline:run", "gis_export:run", "users:edit")
    assert granted == AT_THE_KEYBOARD
    assert granted.lacking(["reporting:view_sensitive", "valuation:approve", "config:edit"]) == [
        "reporting:view_sensitive",
        "valuation:approve",
        "config:edit",
    ]


def test_an_account_that_the_file_names_has_its_roles_there(tmp_path: Path) -> None:
    add_county(tmp_path, "benton_wa", {"username": "olga", "roles": ["supervisor"]})
    assert grants(at(tmp_path), "benton_wa") == ROLES["supervisor"]


def test_once_somebody_can_log_in_the_keyboard_decides_nothing_in_any_county(
    tmp_path: Path,
) -> None:
    add_county(tmp_path, "benton_wa", ANN | {"roles": ["analyst"]})
    add_county(tmp_path, "king_wa")
    assert grants(at(tmp_path), "benton_wa") == grants(at(tmp_path), "king_wa") == NOBODY
    assert counties_with(at(tmp_path), "dashboard:view") == []
    assert counties_with(at(tmp_path, "ann"), "dashboard:view") == ["benton_wa"]


def test_samples_keep_nobody_out_and_configure_nothing(tmp_path: Path) -> None:
    add_county(tmp_path, "demo_wa", ANN | {"roles": ["clerk"]}, sample=True)
    add_county(tmp_path, "king_wa")
    assert grants(at(tmp_path), "demo_wa") == grants(at(tmp_path), "king_wa") == AT_THE_KEYBOARD
    add_county(tmp_path, "benton_wa", ANN | {"roles": ["analyst"]})
    assert grants(at(tmp_path), "demo_wa") == AT_THE_KEYBOARD
    assert grants(at(tmp_path), "king_wa") == NOBODY


def test_a_refusal_names_what_lacks_and_who_has_it(users_project: Settings) -> None:
    with pytest.raises(AccessDeniedError) as refused:
        require(at(users_project.root, "bob"), "benton_wa", "reporting:view", "gis_export:run")
    error = refused.value
    assert (error.permission, error.reason_code) == ("gis_export:run", NO_PERMISSION)
    assert (error.county, error.hint) == ("benton_wa", "ask ann, who has it")


def test_where_no_user_has_it_the_roles_are_named(users_project: Settings) -> None:
    with pytest.raises(AccessDeniedError) as refused:
        require(at(users_project.root, "bob"), "benton_wa", "users:edit")
    assert "it_admin" in str(refused.value.hint)


def test_an_unknown_county_is_an_error_of_configuration(users_project: Settings) -> None:
    with pytest.raises(ConfigError, match="did you mean king_wa"):
        require(at(users_project.root, "ann"), "kings_wa", "dashboard:view")


def test_a_county_that_extends_another_does_not_take_its_users(users_project: Settings) -> None:
    folder = users_project.root / "county_configs" / "west_wa"
    folder.mkdir()
    (folder / "county.yaml").write_text("county_id: west_wa\nname: West\nextends: benton_wa\n")
    assert grants(at(users_project.root, "ann"), "west_wa") == NOBODY


def test_it_is_said_once_and_not_by_the_processes_it_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_county(tmp_path, "benton_wa")
    add_county(tmp_path, "king_wa")
    for county in ("benton_wa", "king_wa", "benton_wa"):
        grants(at(tmp_path), county)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "Olga" in said.err
    kernel = (
        "from pathlib import Path; from terrafusion_lib.core.settings import Settings;"
        "from terrafusion_lib.access.decide import grants;"
        f"print(len(grants(Settings(root=Path({str(tmp_path)!r})), 'king_wa')))"
    )
    settings = at(tmp_path)
    assert "TERRAFUSION_USER" not in settings.environment()
    done = subprocess.run(
        [sys.executable, "-c", kernel], env=os.environ | settings.environment(),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert (done.stdout.strip(), done.stderr) == (str(len(AT_THE_KEYBOARD)), "")


def test_a_name_given_is_passed_on_to_the_processes_it_starts(tmp_path: Path) -> None:
    assert at(tmp_path, "ann").environment()["TERRAFUSION_USER"] == "ann"


def test_a_users_file_that_cannot_be_read_lets_nobody_in(tmp_path: Path) -> None:
    add_county(tmp_path, "benton_wa", CLERK).write_text('{"county_id": ')
    add_county(tmp_path, "king_wa")
    for county in ("benton_wa", "king_wa"):
        with pytest.raises(ConfigError):
            grants(at(tmp_path), county)


def test_a_password_makes_users_configured_at_once(tmp_path: Path) -> None:
    path = add_county(tmp_path, "benton_wa", CLERK)
    assert grants(at(tmp_path), "benton_wa") == AT_THE_KEYBOARD
    path.write_text(json.dumps({"county_id": "benton_wa", "users": [ANN | {"roles": []}]}))
    assert grants(at(tmp_path), "benton_wa") == NOBODY
