"""The geometry store: parcels with their shapes, in GeoParquet or PostGIS."""
