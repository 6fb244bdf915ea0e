"""The login form, its brake, and groups that follow the files."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest

from terrafusion_lib.core.settings import Settings
from terrafusion_lib.hub import authenticator as module
from terrafusion_lib.hub.authenticator import FAILURES, WINDOW_SECONDS, CountyAuthenticator


@pytest.fixture
def door(users_project: Settings, monkeypatch: pytest.MonkeyPatch) -> CountyAuthenticator:
    monkeypatch.setattr(module, "get_settings", lambda: users_project)
    return CountyAuthenticator()


def _login(door: CountyAuthenticator, username: str, password: str) -> Any:
    form = {"username": username, "password": password}
    return asyncio.run(door.authenticate(None, form))


def test_a_login_gives_the_name_and_the_groups(door: CountyAuthenticator, password: str) -> None:
    groups = ["benton_wa:analyst", "king_wa:auditor"]
    assert _login(door, " Ann ", password) == {"name": "ann", "groups": groups}
    assert _login(door, "ann", "wrong") is None
    assert _login(door, "", "") is None


def test_after_five_failures_even_the_right_password_waits(
    door: CountyAuthenticator, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000.0
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now))
    for _ in range(FAILURES):
        assert _login(door, "ann", "wrong") is None
    assert _login(door, "ann", password) is None
    now += WINDOW_SECONDS + 1
    assert _login(door, "ann", password) is not None


def test_a_right_taken_out_of_the_file_is_gone_at_the_next_refresh(
    door: CountyAuthenticator, users_project: Settings
) -> None:
    ann = SimpleNamespace(name="ann")
    path = users_project.root / "county_configs/benton_wa/rbac/benton_wa_users.json"
    path.write_text(json.dumps({"county_id": "benton_wa", "users": []}))
    assert asyncio.run(door.refresh_user(ann))["groups"] == ["king_wa:auditor"]
    assert asyncio.run(door.refresh_user(SimpleNamespace(name="bob"))) is False
