"""A synthetic county that is true to PACS: made-up people and parcels, real structure.

``generate.generate`` writes a SQLite database with the tables, columns, types and keys of PACS
that a mapping would read, a parcel layer beside it, and the truth about both in files that the
pipeline never reads. Distributions follow Benton County, Washington; no row is of a real person
or parcel. The columns that must never be extracted (dates of birth, license and social security
numbers, income) do not exist.

First the county is simulated (``places``, ``uses``, ``lots``, ``layout``, ``parcels``,
``buildings``, ``market``, ``values``, ``people``, ``layers``, ``sales``, ``oddities``, gathered
in ``county``), then written down as the assessor's office would have it (``*_tables``,
``parcel_layer``), then as it is (``traps``).

Simplified against a real PACS: land and improvements exist whole for the appraisal year and the
year before, for a tenth of the future layer, and not for older years, whose values do exist.
"""
