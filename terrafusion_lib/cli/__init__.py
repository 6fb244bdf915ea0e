"""The command line: ``terrafusion <noun> <verb>``, one file per noun."""

from terrafusion_lib.cli.app import app, main

__all__ = ["app", "main"]
