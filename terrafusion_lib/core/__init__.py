"""Errors, settings, county configuration, canonical schema, logging and progress."""
