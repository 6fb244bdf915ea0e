"""GIS export: layers of a county in the formats that GIS offices use."""
