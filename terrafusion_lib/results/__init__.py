"""Stored results: step products, the promoted run, and the one reader of both."""
