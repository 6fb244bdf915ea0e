"""JupyterHub: make hub. Everything lies in terrafusion_lib.hub."""

from terrafusion_lib.core.settings import get_settings
from terrafusion_lib.hub.config import configure

configure(get_config(), get_settings())  # noqa: F821 - JupyterHub provides get_config
