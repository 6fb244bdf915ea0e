"""Users, roles, and the one answer to "may I"."""
