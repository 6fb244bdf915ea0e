"""What the hub is told: state below data/, the services, and rights by group only."""

from typing import Any

import pytest
from traitlets.config import Config

from terrafusion_lib.core.settings import Settings
from terrafusion_lib.hub.config import configure


@pytest.fixture
def told(users_project: Settings, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setenv("TERRAFUSION_HUB_PORT", "18500")
    config = Config()
    configure(config, users_project)
    return config


def _role(told: Config, name: str) -> dict[str, Any]:
    (found,) = (role for role in told.JupyterHub.load_roles if role["name"] == name)
    return dict(found)


def test_state_lies_below_data(told: Config, users_project: Settings) -> None:
    state = str(users_project.data_path / "hub")
    assert state in told.JupyterHub.db_url
    assert told.JupyterHub.cookie_secret_file.startswith(state)
    assert told.ConfigurableHTTPProxy.pid_file.startswith(state)


def test_everything_listens_on_this_machine_only(told: Config) -> None:
    addresses = [
        told.JupyterHub.bind_url,
        told.JupyterHub.hub_bind_url,
        told.ConfigurableHTTPProxy.api_url,
        *(service["url"] for service in told.JupyterHub.services if "url" in service),
    ]
    assert len(set(addresses)) == 4
    assert all(address.startswith("http://127.0.0.1:185") for address in addresses)


def test_rights_come_from_groups(told: Config) -> None:
    assert _role(told, "user")["scopes"] == ["read:users:name!user"]
    viewers = _role(told, "dashboard-viewer")["groups"]
    assert "benton_wa:supervisor" in viewers
    assert not any(group.endswith(":clerk") for group in viewers)
    assert "benton_wa:supervisor" not in _role(told, "lab")["groups"]
    assert "access:services!service=dashboard" in _role(told, "dashboard-viewer")["scopes"]


def test_groups_are_left_to_the_authenticator(told: Config) -> None:
    assert "load_groups" not in told.JupyterHub
    assert told.JupyterHub.authenticator_class.manage_groups
