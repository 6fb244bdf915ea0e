"""Names of sellers and buyers as deeds give them, cut to the thirty characters of PACS."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from terrafusion_lib.demo.columns import Bools, Ints, join, pick, where
from terrafusion_lib.demo.county import County
from terrafusion_lib.demo.people import (
    COMPANIES,
    FIRST_NAMES,
    LAST_NAMES,
    PUBLIC_BODIES,
    account_names,
)
from terrafusion_lib.demo.sale_kinds import REASONS

NAME_LENGTH = 30
RELATIVES = {"family": 0.75, "gift": 0.85, "divorce": 0.9, "quit_claim": 0.5, "trust_transfer": 1.0}
"""Share of a kind of transfer whose parties have one surname."""


def sale_parties(county: County) -> tuple[pa.Array, pa.Array]:
    """Seller and buyer of each transfer.

    The buyer of a property's latest transfer is its owner of today. By chance two strangers have
    one surname, as the names of the county are few.
    """
    sales, people, rng = county.sales, county.people, county.rng("parties")
    count = len(sales.kind)
    kind = np.array(REASONS)[sales.kind]
    owner = people.main_owner(len(county.properties["prop_id"]))[sales.primary]
    latest = np.zeros(count, dtype=np.bool_)
    order = np.lexsort((sales.date, sales.primary))
    latest[order] = np.append(sales.primary[order][1:] != sales.primary[order][:-1], True)
    owned = latest & (people.company[owner] < 0)
    last = np.where(owned, people.last[owner], rng.integers(0, len(LAST_NAMES), count))
    buyer = where(owned, account_names(people).take(pa.array(owner)), _person(last, rng))
    odds = np.zeros(count)
    for reason, share in RELATIVES.items():
        odds[kind == reason] = share
    relative = rng.random(count) < odds
    seller_last = np.where(relative, last, rng.integers(0, len(LAST_NAMES), count))
    seller = _person(seller_last, rng)
    seller = where(kind == "correction_deed", buyer, seller)
    seller = _instead(seller, kind == "estate", join("ESTATE OF ", seller))
    sheriff = join("SHERIFF OF ", pick(PUBLIC_BODIES[:1], np.zeros(count, dtype=np.int64)))
    seller = _instead(seller, kind == "foreclosure", sheriff)
    seller = _instead(seller, kind == "bankruptcy", join(seller, " BANKRUPTCY TRUSTEE"))
    body = pick(PUBLIC_BODIES, rng.integers(0, len(PUBLIC_BODIES), count))
    seller = _instead(seller, np.isin(kind, ("exempt_property", "tax_deed")), body)
    company = pick(COMPANIES, rng.integers(0, len(COMPANIES), count))
    affiliate = pc.replace_substring_regex(company, r" (LLC|INC|LP|CO)$", " HOLDINGS LLC")
    affiliated = kind == "corporate_affiliates"
    return (
        pc.utf8_slice_codeunits(_instead(seller, affiliated, company), 0, NAME_LENGTH),
        pc.utf8_slice_codeunits(_instead(buyer, affiliated, affiliate), 0, NAME_LENGTH),
    )


def _person(last: Ints, rng: np.random.Generator) -> pa.Array:
    first = rng.integers(0, len(FIRST_NAMES), len(last))
    return join(pick(LAST_NAMES, last), ", ", pick(FIRST_NAMES, first))


def _instead(names: pa.Array, mask: Bools, others: pa.Array) -> pa.Array:
    return where(mask, others, names)
