"""Sales: prepared, screened, and counted for completeness."""
