"""Kinds of transfer: how they are priced, coded, and with which deed they come."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SaleKind:
    """One kind of transfer.

    `share` of all sales; price as a factor of true value (`low` to `high`; 0 means no price);
    `dor` the code of WAC 458-53-080 and `county` the county's own, when both are coded rightly.
    """

    reason: str
    valid: bool
    share: float
    low: float
    high: float
    dor: str
    county: str
    deeds: tuple[str, ...]
    wac: tuple[str | None, ...] = (None,)


_WARRANTY = ("SWD", "SWD", "SWD", "SWD", "BSD", "SPWD")

SALE_KINDS = (
    SaleKind("arms_length", True, 0.625, 1, 1, "00", "100", _WARRANTY),
    SaleKind("land_only", True, 0.085, 1, 1, "00", "300", _WARRANTY),
    SaleKind("multi_parcel", True, 0.012, 1, 1, "00", "100", _WARRANTY),
    SaleKind("real_estate_contract", True, 0.010, 1, 1, "00", "100", ("REC",)),
    SaleKind("under_review", True, 0.014, 1, 1, "00", "400", _WARRANTY),
    SaleKind("dark_store", True, 0.001, 0.6, 0.9, "00", "500", ("SWD", "SPWD")),
    SaleKind("family", False, 0.036, 0.25, 0.85, "01", "200", ("SWD", "QCD", "BSD")),
    SaleKind("corporate_affiliates", False, 0.012, 0.5, 1.2, "02", "200", ("SWD", "BSD"),
             (None, "458-61A-211")),
    SaleKind("estate", False, 0.030, 0.7, 1.0, "03", "200", ("PRD",), (None, "458-61A-202")),
    SaleKind("bankruptcy", False, 0.002, 0.6, 0.95, "04", "200", ("TRD",), ("458-61A-207",)),
    SaleKind("foreclosure", False, 0.020, 0.45, 0.85, "05", "200", ("SD", "TRD"),
             ("458-61A-208",)),
    SaleKind("tax_deed", False, 0.004, 0.05, 0.4, "06", "200", ("TD",), (None, "458-61A-205")),
    SaleKind("exempt_property", False, 0.006, 0.6, 1.3, "07", "200", ("SWD", "SPWD")),
    SaleKind("quit_claim", False, 0.040, 0, 0, "09", "200", ("QCD",),
             ("458-61A-201", "458-61A-215", "458-61A-217(1)")),
    SaleKind("quit_claim_priced", False, 0.014, 0.02, 0.6, "09", "200", ("QCD",)),
    SaleKind("gift", False, 0.030, 0, 0, "10", "200", ("QCD", "SWD"), ("458-61A-201",)),
    SaleKind("correction_deed", False, 0.014, 0, 0, "12", "200", ("COR",), ("458-61A-217(1)",)),
    SaleKind("divorce", False, 0.016, 0, 0, "27", "200", ("QCD",), ("458-61A-203(1)",)),
    SaleKind("trade", False, 0.003, 0.3, 1.1, "13", "200", ("SWD", "BSD")),
    SaleKind("partial_interest", False, 0.012, 0.2, 0.6, "14", "200", ("QCD", "SWD")),
    SaleKind("forced_sale", False, 0.004, 0.5, 0.85, "15", "200", ("SWD",)),
    SaleKind("easement", False, 0.004, 0.005, 0.06, "16", "200", ("SWD", "BSD")),
    SaleKind("contract_fulfilled", False, 0.010, 0.25, 0.75, "17", "200", ("FUL",),
             ("458-61A-205(2)",)),
    SaleKind("improved_after_sale", False, 0.016, 0.93, 1.05, "18", "200", _WARRANTY),
    SaleKind("bulk", False, 0.015, 0.55, 0.85, "21", "200", ("SWD", "SPWD")),
    SaleKind("mh_on_leased_land", False, 0.004, 1, 1, "27", "200", ("SWD", "BSD")),
    SaleKind("trust_transfer", False, 0.015, 0, 0, "27", "200", ("QCD", "TRD"), ("458-61A-211",)),
)  # fmt: skip

REASONS = tuple(kind.reason for kind in SALE_KINDS)
MULTI_PARCEL = ("multi_parcel", "bulk")

DEED_TYPES = {
    "SWD": "Statutory warranty deed", "SPWD": "Special warranty deed", "BSD": "Bargain and sale",
    "QCD": "Quit claim deed", "PRD": "Personal representative's deed", "TRD": "Trustee's deed",
    "SD": "Sheriff's deed", "TD": "Tax deed", "REC": "Real estate contract",
    "FUL": "Fulfillment deed", "COR": "Correction deed",
}  # fmt: skip

WAC_CODES = {
    "458-61A-201": "Gifts", "458-61A-202": "Inheritance or devise",
    "458-61A-203(1)": "Community property, dissolution of marriage",
    "458-61A-205": "Government transfers", "458-61A-205(2)": "Fulfillment of contract",
    "458-61A-207": "Bankruptcy", "458-61A-208": "Foreclosure, deeds in lieu",
    "458-61A-211": "Mere change in identity or form", "458-61A-215": "Clearing or exiting title",
    "458-61A-217(1)": "Rerecording of documents to correct title",
}  # fmt: skip

DOR_CODES = {
    "00": "Valid", "01": "Family", "02": "Corporate affiliates", "03": "Estate, guardian",
    "04": "Bankruptcy, receiver", "05": "Sheriff, bailee", "06": "Tax deed",
    "07": "Exempt property", "08": "Ratio outlier", "09": "Quit claim", "10": "Gift",
    "11": "Assignment", "12": "Correction deed", "13": "Trade", "14": "Partial interest",
    "15": "Forced sale", "16": "Easement, right of way", "17": "Fulfillment of contract",
    "18": "Improved after sale", "19": "Timber or forest land", "20": "Bare lots in new plat",
    "21": "Plottage", "27": "Other",
}  # fmt: skip

COUNTY_CODES = {
    "100": "Valid", "200": "Invalid", "300": "Land only", "400": "Under review",
    "500": "Dark sale", "0": "Valid (before 2018)", "9": "Quit claim (before 2018)",
    "27": "Other (before 2018)",
}  # fmt: skip
