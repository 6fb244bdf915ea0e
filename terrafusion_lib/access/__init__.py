"""Users, roles and the one permission check: only `access.decide` decides."""
