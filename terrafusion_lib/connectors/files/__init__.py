"""Files as a source: delimited text, Excel, Parquet and vector layers."""
