"""Stored results: products of steps, the promoted run, and the one reader of both."""
