"""Source systems behind one protocol, and the raw layer that they fill."""
