"""JupyterHub's configuration, in one function that ``jupyterhub_config.py`` calls."""

import os
import sys
from pathlib import Path
from typing import Any

from terrafusion_lib.access.grants import RUN, VIEW_DASHBOARDS
from terrafusion_lib.access.roles import groups_with, roles_with
from terrafusion_lib.core.county import list_counties
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.hub.authenticator import CountyAuthenticator
from terrafusion_lib.hub.lab import lab_options

DASHBOARD = "dashboard"
IDLE_SECONDS = 3600
REFRESH_SECONDS = 30


def configure(c: Any, settings: Settings) -> None:
    """Set users, groups, spawner, proxy and services on JupyterHub's configuration object `c`.

    Ports come from the environment variables TERRAFUSION_HUB_PORT (8000) and, for the services
    behind it, the two ports that follow.
    """
    port = int(os.environ.get("TERRAFUSION_HUB_PORT", "8000"))
    counties = list_counties(settings)
    state = settings.data_path / "hub"
    state.mkdir(parents=True, exist_ok=True)
    _hub(c, port, str(state))
    c.JupyterHub.authenticator_class = CountyAuthenticator
    c.Authenticator.auth_refresh_age = REFRESH_SECONDS
    _spawner(c, settings)
    dashboard = [sys.executable, "-m", "terrafusion_lib.hub.dashboard"]
    culler = [sys.executable, "-m", "jupyterhub_idle_culler", f"--timeout={IDLE_SECONDS}"]
    c.JupyterHub.services = [
        {
            "name": DASHBOARD,
            "url": f"http://127.0.0.1:{port + 3}",
            "command": dashboard,
            "environment": settings.environment(),
            "oauth_no_confirm": True,
        },
        {"name": "idle-culler", "command": culler},
    ]
    c.JupyterHub.load_roles = _roles(counties)
    c.JupyterHub.default_url = _first_page


def serve(settings: Settings) -> None:
    """Serve the hub of the project's ``jupyterhub_config.py`` until interrupted."""
    from jupyterhub.app import JupyterHub

    os.environ |= settings.environment()
    JupyterHub.launch_instance(argv=["-f", str(settings.root / "jupyterhub_config.py")])


def _first_page(handler: Any) -> str:
    """The page after login: JupyterLab for those who have it, otherwise the dashboard."""
    user = handler.current_user
    roles = {item.name.partition(":")[2] for item in (user.orm_user.groups if user else ())}
    return "/hub/spawn" if roles & set(roles_with(RUN)) else f"/services/{DASHBOARD}/"


def _hub(c: Any, port: int, state: str) -> None:
    c.JupyterHub.bind_url = f"http://127.0.0.1:{port}"
    c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{port + 1}"
    c.JupyterHub.db_url = f"sqlite:///{state}/jupyterhub.sqlite"
    c.JupyterHub.cookie_secret_file = f"{state}/cookie_secret"
    c.JupyterHub.cleanup_servers = True
    program = Path(sys.executable).with_name("configurable-http-proxy")
    c.ConfigurableHTTPProxy.command = [sys.executable, str(program)]
    c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{port + 2}"
    c.ConfigurableHTTPProxy.pid_file = f"{state}/proxy.pid"


def _spawner(c: Any, settings: Settings) -> None:
    """One JupyterLab per user under the hub's own account: for one machine and a trusted team."""
    c.JupyterHub.spawner_class = "simple"
    c.SimpleLocalProcessSpawner.home_dir_template = str(settings.data_path / "hub/homes/{username}")
    c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
    c.Spawner.args = lab_options()
    c.Spawner.default_url = "/lab"
    c.Spawner.notebook_dir = str(settings.root / "notebooks")
    c.Spawner.environment = settings.environment() | {"TERRAFUSION_USER": _username}
    c.Spawner.http_timeout = 60
    c.Spawner.start_timeout = 60


def _username(spawner: Any) -> str:
    """The user of a JupyterLab: the one who logged in, not the hub's own account."""
    return str(spawner.user.name)


def _roles(counties: list[str]) -> list[dict[str, Any]]:
    """Scopes by group; the role ``user`` grants only the name, groups grant everything else."""
    viewers = groups_with(VIEW_DASHBOARDS, counties)
    lab = groups_with(RUN, counties)
    culling = ["list:users", "read:users:activity", "read:servers", "delete:servers"]
    return [
        {"name": "user", "scopes": ["read:users:name!user"]},
        {"name": "lab", "scopes": ["self"], "groups": lab},
        {
            "name": "dashboard-viewer",
            "scopes": [f"access:services!service={DASHBOARD}", "read:users:groups!user"],
            "groups": viewers,
        },
        {"name": "idle-culler", "scopes": culling, "services": ["idle-culler"]},
    ]
