"""The operational database: models, migrations and the bulk writer."""
