"""A synthetic county that is true to PACS."""
