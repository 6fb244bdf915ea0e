"""``terrafusion dashboard``, ``lab`` and ``hub``: pages in the browser."""

from typing import Annotated

import typer

from terrafusion_lib.cli.options import DEMO_COUNTY, settings


def dashboard(
    port: Annotated[
        int, typer.Option(help="Port on this machine", envvar="TERRAFUSION_DASHBOARD_PORT")
    ] = 8866,
) -> None:
    """Serve the dashboard on this machine only (terrafusion hub serves it with logins)."""
    from terrafusion_lib.hub.dashboard import serve

    print(f"http://127.0.0.1:{port}/?county={DEMO_COUNTY}")
    serve(settings(), port=port)


def lab() -> None:
    """Start JupyterLab with the notebooks, on this machine only."""
    from terrafusion_lib.hub.lab import serve

    serve(settings())


def hub() -> None:
    """Start JupyterHub with the counties' users and the dashboard as a service."""
    from terrafusion_lib.hub.config import serve

    serve(settings())
