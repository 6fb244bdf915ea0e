"""A job: one run of one plugin for one county, from its request to its published result."""
