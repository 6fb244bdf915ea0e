"""Tables, charts, maps and cards for notebooks and dashboards."""
