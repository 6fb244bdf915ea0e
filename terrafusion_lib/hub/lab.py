"""JupyterLab with the notebooks: its options, and serving it on this machine only."""

import os

from terrafusion_lib.core.settings import Settings

CONTENTS = "jupyter_server.services.contents.largefilemanager.LargeFileManager"
OPTIONS = (
    # Ploomber's own contents manager breaks JupyterLab's file browser.
    f"--ServerApp.contents_manager_class={CONTENTS}",
    # JupyterLab does not ask the network for updates.
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
)


def lab_options() -> list[str]:
    """Options of every JupyterLab, standalone or behind the hub. Containers often have only a root
    account, which JupyterLab must be told to accept.
    """
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return [*OPTIONS, *(["--allow-root"] if is_root else [])]


def serve(settings: Settings) -> None:
    """Serve JupyterLab until interrupted; it opens the browser and prints its address."""
    from jupyterlab.labapp import LabApp

    os.environ |= settings.environment()
    LabApp.launch_instance(argv=[f"--notebook-dir={settings.root / 'notebooks'}", *lab_options()])
