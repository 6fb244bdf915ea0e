"""The raw layer: data as read from a source, immutable, with counts and hashes."""
