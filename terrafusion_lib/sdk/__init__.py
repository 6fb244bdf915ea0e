"""Helpers to set up a new county."""
