"""``python -m terrafusion_lib.cli``."""

from terrafusion_lib.cli import main

main()
