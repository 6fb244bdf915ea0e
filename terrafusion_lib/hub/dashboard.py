"""Serves the dashboards with Voilà: standalone on this machine, or as a service behind JupyterHub.

Behind the hub, users log in there and the hub's scopes decide who reaches the service. Before a
dashboard's kernel starts, `access` checks whether the user may see the county.
"""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from jupyterhub.singleuser.extension import JupyterHubIdentityProvider
from jupyterhub.utils import url_path_join
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from tornado.web import HTTPError
from traitlets.config import Config
from voila.app import Voila
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

from terrafusion_lib.access.decide import counties_with
from terrafusion_lib.access.grants import VIEW_DASHBOARDS
from terrafusion_lib.core.settings import Settings, get_settings

NOTEBOOK = "run_summary.ipynb"
TEMPLATES = Path(__file__).parent / "share"
CULL_SECONDS = 600
TOKENS = ("JUPYTERHUB_API_TOKEN", "JPY_API_TOKEN")


class HubIdentityProvider(JupyterHubIdentityProvider):  # type: ignore[misc]
    """Hub login for Voilà; keeps the hub's token out of kernels."""

    def __init__(self, **options: Any) -> None:
        for unused in ("token", "login_handler_class"):
            options.pop(unused, None)
        super().__init__(**options)
        held = (self.hub_auth.api_token, self.hub_auth.oauth_client_id, self.hub_auth.access_scopes)
        self.log.info("behind the hub, for %s", held[2])
        for name in TOKENS:
            os.environ.pop(name, None)

    def get_handlers(self) -> list[Any]:
        """The hub's handlers below the service's own address."""
        prefix = os.environ["JUPYTERHUB_SERVICE_PREFIX"]
        return [(url_path_join(prefix, path), *rest) for path, *rest in super().get_handlers()]


class KernelSocket(VoilaKernelWebsocketHandler):  # type: ignore[misc]
    """A kernel's WebSocket that also works behind a proxy that drops the subprotocol. Without a
    negotiated subprotocol, messages use Jupyter's older binary format, which Voilà would misread
    as a length of billions and hang.
    """

    def write_message(self, message: Any, binary: bool = False) -> Any:
        """Send a message; messages in the older format bypass Voilà's parser."""
        if isinstance(message, bytes) and not self.selected_subprotocol:
            return super(VoilaKernelWebsocketHandler, self).write_message(message, binary)
        return super().write_message(message, binary)


class Dashboards(Voila):  # type: ignore[misc]
    """Voilà with `KernelSocket`."""

    def init_handlers(self) -> list[Any]:
        """Voilà's handlers, with the kernel's WebSocket replaced."""
        return [
            (path, KernelSocket if kind is VoilaKernelWebsocketHandler else kind, *rest)
            for path, kind, *rest in super().init_handlers()
        ]


def choose_county(handler: Any, notebook: NotebookNode, cwd: str) -> None:
    """Voilà's hook before a kernel starts: check the requested county and pass it to the notebook.

    Raises
    ------
    HTTPError
        403 when the user has no role in the county.
    """
    del cwd
    settings = get_settings()
    if "JUPYTERHUB_SERVICE_PREFIX" in os.environ:
        name = getattr(handler.current_user, "name", "")
        settings = settings.model_copy(update={"user": name})
    counties = counties_with(settings, VIEW_DASHBOARDS)
    county = handler.get_argument("county", default="")
    if not counties or (county and county not in counties):
        raise HTTPError(403, f"None of your roles lets you see {county or 'any county'}")
    chosen = {"county": county, "user": settings.user if settings.user_given else None}
    source = "\n".join(f"{name} = {value!r}" for name, value in chosen.items())
    at = next(
        i for i, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", [])
    )
    notebook.cells.insert(at + 1, new_code_cell(source))


def voila_config(settings: Settings, *, port: int, prefix: str = "/") -> Config:
    """Voilà's configuration: one notebook, no tracebacks, idle kernels shut down."""
    config = Config()
    config.Voila.ip = "127.0.0.1"
    config.Voila.port = port
    config.Voila.open_browser = False
    config.Voila.base_url = prefix
    config.VoilaConfiguration.show_tracebacks = False
    config.VoilaConfiguration.template = "terrafusion"
    config.VoilaConfiguration.theme = "light"
    config.VoilaConfiguration.prelaunch_hook = choose_county
    config.MappingKernelManager.cull_idle_timeout = CULL_SECONDS
    config.MappingKernelManager.cull_interval = 60
    config.MappingKernelManager.cull_connected = False
    if prefix != "/":
        config.Voila.identity_provider_class = HubIdentityProvider
    os.environ |= settings.environment() | {"JUPYTER_PATH": str(TEMPLATES)}
    return config


def serve(settings: Settings, *, port: int, prefix: str = "/") -> None:
    """Serve the dashboards until interrupted."""
    config = voila_config(settings, port=port, prefix=prefix)
    notebook = str(settings.root / "dashboards" / NOTEBOOK)
    Dashboards.launch_instance(argv=[notebook], config=config)


if __name__ == "__main__":
    address = urlparse(os.environ["JUPYTERHUB_SERVICE_URL"])
    serve(
        get_settings(),
        port=address.port or 80,
        prefix=os.environ["JUPYTERHUB_SERVICE_PREFIX"],
    )
