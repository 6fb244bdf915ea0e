"""``python -m terrafusion_lib.cli``."""

from terrafusion_lib.cli import main

if __name__ == "__main__":
    main()
