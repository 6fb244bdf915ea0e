"""Mass valuation: comparable sales with hedonic adjustments, and the ratio study that tests it."""
