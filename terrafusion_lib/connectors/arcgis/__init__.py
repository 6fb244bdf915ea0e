"""ArcGIS feature services as a source."""
