"""Result tables of a valuation, stored under its run id."""

from terrafusion_lib.core.tables import read_table

VALUATIONS = read_table(
    "valuations",
    "One row per run and property: its value, or why it has none",
    "run_id county_id property_id",
    """
run_id                text     Run that produced the value
county_id             text     County
property_id           text     Property
assessment_year       integer  Assessment year
valuation_date        date     Valuation date (January 1)
estimated_value       money    Estimated market value; null when not valued
land_value            money    Land value; null when it cannot be separated from the total
improvement_value     money    Improvement value; sums exactly to the total with the land value
model_value           money    Value by the model, before rounding and other post-processing
comparable_value      money    Reconciled value of the comparable sales alone
low_value             money    Lower end of the prediction interval
high_value            money    Upper end of the prediction interval
confidence_score      number   0 to 1
valuation_method      text     Method, such as comparable_sales or override; null when not valued
post_processing       text     Post-processing that changed the value, comma separated; null: none
override_reason       text     Why a person set the value, with name and date; null: no override
comparables_used      integer  Comparables behind the value
review_reasons        text     Reasons for review, comma separated; null when none
not_valued_reason     text     Why there is no value; null when valued
""",
)

VALUATION_COMPARABLES = read_table(
    "valuation_comparables",
    "One row per run, property and comparable sale",
    "run_id county_id property_id rank",
    """
run_id                text     Run
county_id             text     County
property_id           text     Subject
rank                  integer  1 is the best
sale_id               text     Comparable sale
comparable_property_id text    Property sold
sale_date             date     Date of sale
sale_price            money    Price
distance_feet         number   Distance to the subject, feet
similarity            number   0 to 1
net_adjustment_pct    number   Sum of adjustments, percent of the price
gross_adjustment_pct  number   Sum of absolute adjustments, percent of the price
adjusted_price        money    Price adjusted to the subject and the valuation date
indicated_value       money    Adjusted price less the part of the deviation left with the sale
weight                number   Weight in the reconciled value; sums to 1 per property
""",
)

RATIO_STATISTICS = read_table(
    "ratio_statistics",
    "One row per run, study, stratum and statistic of a ratio study",
    "run_id county_id study grouping stratum statistic",
    """
run_id                text     Run
county_id             text     County
study                 text     Which values against which sales: model_holdout, appraised …
grouping              text     Grouping: overall, property_type, neighborhood_code …
stratum               text     The stratum; all for overall
statistic             text     median_ratio, mean_ratio, weighted_mean_ratio, cod, prd, prb …
n                     integer  Sales in the stratum
estimate              number   The statistic; null when n is too small
ci_low                number   Lower end of the confidence interval
ci_high               number   Upper end of the confidence interval
confidence_level      number   Level of the interval, such as 0.95
limit_low             number   Lower limit of the standard, inclusive
limit_high            number   Upper limit of the standard, inclusive
verdict               text     met, not met, inconclusive or too few; null without a standard
standard              text     Citation of the standard
""",
)

VALUATION_EXPLANATIONS = read_table(
    "valuation_explanations",
    "One row per run and property valued by a model: dollars by line, which sum to the value",
    "run_id county_id property_id",
    """
run_id                text     Run
county_id             text     County
property_id           text     Property
base_value            money    Value of a property with every line at zero
size                  money    Building area and stories
land                  money    Land area
age                   money    Age and renovation
quality               money    Quality
condition             money    Condition
rooms                 money    Bathrooms and bedrooms
garage                money    Garage
basement              money    Basement
view                  money    View and waterfront
use                   money    Use
location              money    Neighborhood, location and surroundings
time                  money    Price level of the valuation date
comparables           money    What the comparable sales add beyond all lines above
model_value           money    Sum of base and lines
""",
)

SALE_RATIOS = read_table(
    "sale_ratios",
    "One row per run, study and sale of a ratio study",
    "run_id county_id study sale_id property_id",
    """
run_id                text     Run
county_id             text     County
study                 text     appraised or model_holdout
sale_id               text     Sale
property_id           text     Property sold
property_type         text     Property type at the sale
neighborhood_code     text     Neighborhood
sale_date             date     Date of sale
sale_price            money    Price, adjusted as the county adjusts prices
adjusted_price        money    Price in the ratio: adjusted to the valuation date, or unadjusted
studied_value         money    Value studied
ratio                 number   Studied value divided by price
in_interval           boolean  Whether the price was in the prediction interval; null without one
""",
)

MODEL_LEADERBOARD = read_table(
    "model_leaderboard",
    "One row per run, market and model, all tested on the same holdout sales",
    "run_id county_id market model",
    """
run_id                text     Run
county_id             text     County
market                text     Market, such as residential
model                 text     appraised, median_rate, hedonic, comparable_sales, ensemble …
published             boolean  Whether this model produces the run's values
test                  text     Which sales are the test
n                     integer  Sales that every model valued
median_ratio          number   Median ratio
median_low            number   Lower end of its 95 percent interval
median_high           number   Upper end of its 95 percent interval
cod                   number   Coefficient of dispersion
cod_low               number   Lower end of its 95 percent interval
cod_high              number   Upper end of its 95 percent interval
prd                   number   Price-related differential
prb                   number   Price-related bias
prb_low               number   Lower end of its 95 percent interval
prb_high              number   Upper end of its 95 percent interval
median_error_pct      number   Median absolute error, percent of price
r_squared             number   Share of the variance of prices explained
within_20_pct         number   Share of sales valued within 20 percent
""",
)

MODEL_COEFFICIENTS = read_table(
    "model_coefficients",
    "One row per run, market and term of the log-linear hedonic regression",
    "run_id county_id market term",
    """
run_id                text     Run
county_id             text     County
market                text     Market
term                  text     Term; indicators as kind:label
coefficient           number   Change of the log of price by one unit of the term
std_error             number   Heteroscedasticity-robust standard error (HC1)
t_value               number   Coefficient divided by standard error
p_value               number   Probability of a larger t value if there were no effect
vif                   number   Variance inflation factor; null for indicators
expected_sign         integer  Expected sign: 1, -1 or 0 (any)
sign_as_expected      boolean  Whether the sign is as expected; null where any sign is fine
""",
)

SALES_VALIDATION = read_table(
    "sales_validation",
    "One row per run, sale and parcel: whether the sale is used, who decided, and why",
    "run_id county_id sale_id property_id",
    """
run_id                text     Run
county_id             text     County
sale_id               text     Sale
property_id           text     Property sold
sale_date             date     Date of sale
sale_price            money    Price of the whole transaction
verdict               text     valid, invalid, or suspect (needs review)
decided_by            text     codes, machine or person
reasons               text     Evidence against the sale, in words; null when none
wac_numeral           text     State's code of the reason, such as WAC 458-53-080(2); null when used
outlier_score         number   Largest robust deviation of its price; null without similar sales
model_ratio           number   Price divided by the value from models that had not seen the sale
""",
)

SALES_COMPLETENESS = read_table(
    "sales_completeness",
    "One row per run, area and month: valid sales and the number expected",
    "run_id county_id area month",
    """
run_id                text     Run
county_id             text     County
area                  text     Neighborhood; all for the county
month                 date     First day of the month
sales                 integer  Valid sales
expected              number   Expected sales
low                   number   Lowest count without an alarm
high                  number   Highest count without an alarm
alarm                 boolean  Whether there are far too few or too many sales
""",
)

MARKET_INDEX = read_table(
    "market_index",
    "One row per run, market, area and month: price level relative to the valuation date",
    "run_id county_id market area month",
    """
run_id                text     Run
county_id             text     County
market                text     Market, such as residential
area                  text     Neighborhood; all for the market as a whole
month                 date     First day of the month; the level is for its middle
sales                 integer  Valid sales in that month and area
price_level           number   Price level, 1 at the valuation date
low                   number   Lower end of its 95 percent interval
high                  number   Upper end of its 95 percent interval
""",
)

LAND_RATES = read_table(
    "land_rates",
    "One row per run, method, area and size of land: its value at the valuation date",
    "run_id county_id method area size_sqft",
    """
run_id                text     Run
county_id             text     County
method                text     vacant_sales, residual or allocation
published             boolean  Whether the run allocates land value by this method
area                  text     Neighborhood; all for parcels in none of them
sales                 integer  Sales in the area used by the method
size_sqft             number   Size of the land, square feet
land_value            money    Value of land of that size
rate_per_sqft         number   Land value per square foot, US dollars
median_ratio          number   Median ratio of the method's values on unseen vacant sales
cod                   number   Coefficient of dispersion of these ratios
""",
)

VALUATION_IMPROVEMENTS = read_table(
    "valuation_improvements",
    "One row per run and structure, for properties with several: its share of the improvement "
    "value",
    "run_id county_id property_id improvement_id",
    """
run_id                text     Run
county_id             text     County
property_id           text     Property
improvement_id        text     The source's identity of the structure
share                 number   Share of the property's improvement value, 0 to 1
improvement_value     money    Value of the structure; they sum to the property's improvement value
""",
)

TABLES = (
    VALUATIONS,
    VALUATION_COMPARABLES,
    RATIO_STATISTICS,
    VALUATION_EXPLANATIONS,
    SALE_RATIOS,
    MODEL_LEADERBOARD,
    MODEL_COEFFICIENTS,
    SALES_VALIDATION,
    SALES_COMPLETENESS,
    MARKET_INDEX,
    LAND_RATES,
    VALUATION_IMPROVEMENTS,
)
