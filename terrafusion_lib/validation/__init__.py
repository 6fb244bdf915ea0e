"""Suites, gate and quarantine between mapping and loading."""
