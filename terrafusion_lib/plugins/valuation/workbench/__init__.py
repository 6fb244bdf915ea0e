"""Exploring a fitted county: grids, what-if, trials, tuning."""
