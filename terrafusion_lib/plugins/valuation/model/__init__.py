"""The model of a market: regression, comparables, trees, intervals."""
