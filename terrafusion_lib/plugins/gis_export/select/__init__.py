"""What an export holds: layers, records, attributes and shapes of an area."""
