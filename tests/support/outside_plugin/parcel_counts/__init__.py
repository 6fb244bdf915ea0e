"""Properties counted by type."""
