"""Invented files of two counties that are not in Washington, as their offices would export them.

Every figure is drawn from a seeded generator; no row is of a real place or person.
"""
