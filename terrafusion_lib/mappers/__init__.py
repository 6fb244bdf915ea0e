"""mappings.yaml compiled to set-based queries over the raw layer."""
