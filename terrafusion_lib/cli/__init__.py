"""The command line: ``terrafusion <noun> <verb>``, a file per noun."""

from terrafusion_lib.cli.app import app, main

__all__ = ["app", "main"]
