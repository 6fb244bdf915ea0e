"""The canonical tables: the one place that defines TerraFusion's columns and units.

Money is US dollars, areas are square feet, ids are text, dates are dates. Mapping, validation,
store, plugins and documentation all read this module.
"""

from terrafusion_lib.core.tables import TableSpec, read_table

PROPERTY_TYPES = (
    "residential",
    "multifamily",
    "manufactured_home",
    "commercial",
    "industrial",
    "agricultural",
    "vacant_land",
    "special_purpose",
)


_CHARACTERISTICS = """
land_area_sqft        number   Land area, square feet
building_area_sqft    number   Living (main) area above grade and finished, square feet
basement_area_sqft    number   Basement area, square feet
garage_area_sqft      number   Attached and detached garage area, square feet
year_built            integer  Year the principal improvement was built
effective_year_built  integer  Effective year built: reflects renovation
stories               number   Stories of the principal improvement
bedrooms              number   Bedrooms
bathrooms             number   Bathrooms; a half bath counts 0.5
quality               number   Quality (class) on the source's scale, higher is better
condition             number   Condition, 1 poor to 5 excellent
view_rating           integer  View, 0 none to 4 excellent
is_waterfront         boolean  On the waterfront
"""

PROPERTIES = read_table(
    "properties_operational",
    "One row per property (parcel) on the roll of the assessment year",
    "county_id property_id",
    """
county_id             text     County, such as benton_wa
property_id           text     The source's permanent id of the property
parcel_number         text     Parcel number (PACS geo_id), trimmed
situs_address         text     Full situs address on one line
situs_street_number   text     House number
situs_street_name     text     Street with prefix and suffix
situs_unit            text     Unit
situs_city            text     City of the situs
situs_state           text     State of the situs, two letters
situs_zip             text     ZIP Code of the situs
property_type         text     One of PROPERTY_TYPES
property_class        text     State land use code
use_code              text     The source's own use code
neighborhood_code     text     Appraisal neighborhood
inspection_cycle      integer  Physical inspection cycle
subdivision_code      text     Subdivision (plat)
tax_area              text     Tax code area
zoning                text     Zoning
legal_description     text     Legal description
"""
    + _CHARACTERISTICS.strip()
    + """
land_value            money    Market value of land
improvement_value     money    Market value of improvements
current_market_value  money    Market value: land and improvements
assessed_value        money    Assessed value on the roll, current use applied
taxable_value         money    Taxable value after exemptions
new_construction_value money   New construction in the assessment year
current_use_value     money    Use value of land in current use; null when none
senior_frozen_value   money    Frozen value of a senior exemption; null when none
prior_market_value    money    Market value one assessment year earlier
assessment_year       integer  Assessment year: values as of January 1
tax_year              integer  Year the taxes are payable
last_sale_id          text     Latest sale with a price
last_sale_date        date     Its date
last_sale_price       money    Its price
is_exempt             boolean  Fully exempt from tax
exemption_type        text     Exemption codes, comma separated, sorted
owner_name            text     Primary owner; masked when the source says confidential
owner_is_confidential boolean  The source marks the owner as confidential
latitude              number   WGS 84 latitude, degrees
longitude             number   WGS 84 longitude, degrees
source_year           integer  Year layer the row was read from
source_sup_num        integer  Supplement that the row was read from
data_source           text     Database and layer, such as pacs_oltp@2026/0
extended_attributes   json     Source facts without a column of their own
""",
)

SALES = read_table(
    "sales",
    "One row per sale and parcel; a multi-parcel sale has several",
    "county_id sale_id property_id",
    """
county_id             text     County
sale_id               text     The source's id of the transfer
property_id           text     Property sold
parcel_number         text     Parcel number
sale_date             date     Date of sale
sale_price            money    Price of the whole transaction
adjusted_sale_price   money    Price after the assessor's adjustments; the price if none
recorded_date         date     Date recorded
deed_type             text     Deed (instrument) type
excise_number         text     Real estate excise tax affidavit
dor_ratio_code        text     Validity code of the state's ratio study
dor_valid             boolean  Valid for the state's study; null when the code is unknown
county_ratio_code     text     Validity code of the county's study
county_valid          boolean  Valid for the county's study; null when the code is unknown
wac_code              text     Transfer-tax exemption claimed: evidence only
party_relation        text     What the parties' names suggest, such as same surname: evidence only
parcel_count          integer  Parcels in the sale
is_primary_parcel     boolean  The sale's primary parcel
is_land_only          boolean  Land sold without improvements
personal_property_value money  Personal property included in the price
parcel_market_value   money    Market value of this parcel on the roll of the sale's year
total_market_value    money    Sum of market values of all parcels of the sale: ratio numerator
property_type         text     One of PROPERTY_TYPES
property_class        text     State land use code
neighborhood_code     text     Appraisal neighborhood
"""
    + _CHARACTERISTICS.strip()
    + """
data_source           text     Database and layer
extended_attributes   json     Source facts without a column of their own
""",
    parent="properties_operational",
)

IMPROVEMENTS = read_table(
    "improvements",
    "One row per structure",
    "county_id property_id improvement_id",
    """
county_id             text     County
property_id           text     Property
improvement_id        text     The source's id of the structure
improvement_type      text     Type code of the source
description           text     Description
is_principal          boolean  The principal improvement (highest value)
building_area_sqft    number   Main area, square feet
basement_area_sqft    number   Basement area, square feet
garage_area_sqft      number   Garage area, square feet
year_built            integer  Year built
effective_year_built  integer  Effective year built
stories               number   Stories
bedrooms              number   Bedrooms
bathrooms             number   Bathrooms
quality               number   Quality (class)
condition             number   Condition, 1 poor to 5 excellent
percent_complete      number   Percent complete, 0 to 100
improvement_value     money    Value of the structure
""",
    parent="properties_operational",
)

LAND_SEGMENTS = read_table(
    "land_segments",
    "One row per land segment",
    "county_id property_id segment_id",
    """
county_id             text     County
property_id           text     Property
segment_id            text     The source's id of the segment
land_type             text     Land type code
land_use_code         text     Primary use code of the segment
area_sqft             number   Area, square feet
area_acres            number   Area, acres
unit_price            money    Market price per unit
market_value          money    Market value
is_current_use        boolean  Classified as current use
current_use_code      text     Current-use class, such as AG, OSP, DFL
use_value             money    Use value where classified
""",
    parent="properties_operational",
)

EXEMPTIONS = read_table(
    "exemptions",
    "One row per property, owner and exemption",
    "county_id property_id owner_id exemption_type",
    """
county_id             text     County
property_id           text     Property
owner_id              text     Owner with the exemption
exemption_type        text     Exemption code, such as SNR/DSBL, EX, U500
exemption_subtype     text     Subtype
exempt_value          money    Value exempted
qualify_year          integer  Year of qualification
effective_date        date     Effective from
""",
    parent="properties_operational",
)

PERMITS = read_table(
    "permits",
    "One row per property and building permit",
    "county_id property_id permit_id",
    """
county_id             text     County
property_id           text     Property
permit_id             text     The source's id of the permit
permit_number         text     Number of the issuing authority
permit_type           text     Type code
permit_status         text     Status code
issue_date            date     Issued
completion_date       date     Completed
permit_value          money    Declared value of the work
area_sqft             number   Area of the work, square feet
percent_complete      number   Percent complete, 0 to 100
description           text     Description
""",
    parent="properties_operational",
)

VALUES_HISTORY = read_table(
    "values_history",
    "One row per property and assessment year, each from its own current supplement",
    "county_id property_id assessment_year",
    """
county_id             text     County
property_id           text     Property
assessment_year       integer  Assessment year
land_value            money    Market value of land
improvement_value     money    Market value of improvements
market_value          money    Market value
assessed_value        money    Assessed value, current use applied
taxable_value         money    Taxable value
new_construction_value money   New construction
source_sup_num        integer  Supplement that the row was read from
""",
    parent="properties_operational",
)

PARCELS_GEOMETRY = read_table(
    "parcels_geometry",
    "One row per feature of the county's parcel layer, linked or not",
    "county_id geometry_id",
    """
county_id             text     County
geometry_id           text     The layer's feature id
property_id           text     Linked property; null if none
parcel_number         text     Parcel number in the layer, trimmed
link_method           text     property_id, parcel_number or unlinked
area_sqft             number   Area in the county's projected system, square feet
latitude              number   WGS 84 latitude of a point inside
longitude             number   WGS 84 longitude of a point inside
part_count            integer  Polygons of the feature
geometry              geometry WGS 84 geometry as WKB
""",
)

TABLES: dict[str, TableSpec] = {
    table.name: table
    for table in (
        PROPERTIES,
        SALES,
        IMPROVEMENTS,
        LAND_SEGMENTS,
        EXEMPTIONS,
        PERMITS,
        VALUES_HISTORY,
        PARCELS_GEOMETRY,
    )
}

PERSONAL = frozenset(
    {
        "owner_id",
        "owner_name",
        "owner_is_confidential",
        "exemption_type",
        "exemption_subtype",
        "exempt_value",
        "senior_frozen_value",
        "extended_attributes",
    }
)
"""Personal data: owners, and exemptions that reveal age, disability or income. Shown only when
requested by name, to users who may view sensitive reports.
"""
