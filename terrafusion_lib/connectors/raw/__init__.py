"""The raw layer: what was read of a source, immutable, with counts and hashes."""
