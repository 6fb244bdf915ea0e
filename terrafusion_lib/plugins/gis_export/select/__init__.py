"""Contents of an export: layers, records, attributes and shapes of an area."""
