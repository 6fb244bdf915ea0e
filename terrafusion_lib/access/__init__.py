"""Users, roles, and the one answer to "may I": ask `access.decide`, nothing else decides."""
