"""Accounts: the owners of the county, invented; their names, addresses and shares."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from terrafusion_lib.demo.columns import Bools, Ints, Table, digits, join, pick, where
from terrafusion_lib.demo.parcels import Kind, Land
from terrafusion_lib.demo.places import CITIES, STREETS, SUFFIXES
from terrafusion_lib.demo.uses import Pool, index_of

FIRST_NAMES = (
    "MARIA", "JAMES", "LINDA", "ROBERT", "PATRICIA", "JOHN", "JENNIFER", "MICHAEL", "ELIZABETH",
    "DAVID", "BARBARA", "WILLIAM", "SUSAN", "RICHARD", "JESSICA", "JOSEPH", "KAREN", "THOMAS",
    "NANCY", "CARLOS", "LISA", "DANIEL", "BETTY", "MATTHEW", "SANDRA", "ANTHONY", "ASHLEY", "MARK",
    "EMILY", "DONALD", "DONNA", "STEVEN", "MICHELLE", "PAUL", "CAROL", "ANDREW", "AMANDA", "JOSE",
    "MELISSA", "KENNETH", "DEBORAH", "JUAN", "STEPHANIE", "KEVIN", "REBECCA", "BRIAN", "LAURA",
    "GEORGE", "HELEN", "LUIS",
)  # fmt: skip
LAST_NAMES = (
    "GARCIA", "SMITH", "JOHNSON", "MARTINEZ", "BROWN", "JONES", "MILLER", "DAVIS", "RODRIGUEZ",
    "WILSON", "LOPEZ", "ANDERSON", "THOMAS", "HERNANDEZ", "MOORE", "MARTIN", "JACKSON", "THOMPSON",
    "WHITE", "GONZALEZ", "LEE", "HARRIS", "CLARK", "LEWIS", "ROBINSON", "WALKER", "PEREZ", "HALL",
    "YOUNG", "ALLEN", "SANCHEZ", "WRIGHT", "KING", "SCOTT", "GREEN", "BAKER", "ADAMS", "NELSON",
    "HILL", "RAMIREZ", "CAMPBELL", "MITCHELL", "ROBERTS", "CARTER", "PHILLIPS", "EVANS", "TURNER",
    "TORRES", "PARKER", "COLLINS", "EDWARDS", "STEWART", "FLORES", "MORRIS", "NGUYEN", "MURPHY",
    "RIVERA", "COOK", "ROGERS", "MORGAN", "PETERSON", "COOPER", "REED", "BAILEY", "OLSEN",
    "MUÑOZ", "PEÑA", "O'BRIEN", "VAN DYKE", "DE LA CRUZ",
)  # fmt: skip
COMPANIES = (
    "COLUMBIA BASIN HOMES LLC", "DESERT RIDGE BUILDERS INC", "HORSE HEAVEN VINEYARDS LLC",
    "TRI-RIVER PROPERTIES LLC", "CANYON ORCHARDS INC", "SAGE COMMERCIAL HOLDINGS LP",
    "RED HILL FARMS LLC", "CLEARWATER STORAGE LLC", "BADGER VIEW APARTMENTS LLC",
    "LOWER VALLEY PACKING CO", "VISTA MEDICAL PARTNERS", "GRANDVIEW PARKS MHP LLC",
)  # fmt: skip
PUBLIC_BODIES = (
    "DEMO COUNTY", "CITY OF KENNEWICK", "CITY OF RICHLAND", "PORT OF DEMO", "STATE OF WASHINGTON",
    "DEMO SCHOOL DISTRICT", "PUBLIC UTILITY DISTRICT", "FIRST COMMUNITY CHURCH",
)  # fmt: skip
FIRST_ACCOUNT = 2_000
ACCOUNT_STEP = 3
CONFIDENTIAL_SHARE = 0.004


@dataclass(frozen=True)
class People:
    """Accounts, and who owns which property by how much."""

    accounts: int
    confidential: Bools
    company: Ints
    """Index into COMPANIES + PUBLIC_BODIES, or −1 for a person."""
    first: Ints
    second: Ints
    last: Ints
    owned: Ints
    """Property row of every share, ascending."""
    owner: Ints
    """Account row of every share."""
    percent: Ints

    def account_id(self, rows: Ints) -> Ints:
        return FIRST_ACCOUNT + ACCOUNT_STEP * rows

    def main_owner(self, count: int) -> Ints:
        """Account row of the largest owner of each of `count` properties; ties take the lowest."""
        order = np.lexsort((self.owner, -self.percent, self.owned))
        first = np.unique(self.owned[order], return_index=True)[1]
        owner = np.empty(count, dtype=np.int64)
        owner[self.owned[order][first]] = self.owner[order][first]
        return owner


def build_people(land: Land, exempt: Bools, two_owners: Ints, rng: np.random.Generator) -> People:
    """Owners of every property; `two_owners` are rows owned half and half."""
    p = land.properties
    count = len(p["prop_id"])
    corporate = len(COMPANIES) + len(PUBLIC_BODIES)
    owner = corporate + np.arange(count)
    repeat = rng.random(count) < 0.09
    owner[repeat] = corporate + rng.integers(0, count, repeat.sum())
    shop = np.isin(p["pool"], (Pool.COMMERCIAL, Pool.FARM)) & (rng.random(count) < 0.35)
    owner[shop] = rng.integers(0, len(COMPANIES), shop.sum())
    public = exempt & ~np.isin(p["kind"], (Kind.PERSONAL,))
    owner[public] = len(COMPANIES) + rng.integers(0, len(PUBLIC_BODIES), public.sum())
    owner[two_owners] = corporate + two_owners
    leased = p["use"] == index_of("15")[0]
    owner[leased & (p["kind"] == Kind.LAND)] = len(COMPANIES) - 1
    second = corporate + count + np.arange(len(two_owners))
    owned = np.concatenate([np.arange(count), two_owners])
    percent = np.full(len(owned), 100)
    percent[two_owners] = 50
    percent[count:] = 50
    both = np.concatenate([owner, second])
    order = np.lexsort((both, owned))
    used, compact = np.unique(both[order], return_inverse=True)
    people = len(used)
    company = np.where(used < corporate, used, -1)
    confidential = np.zeros(people, dtype=np.bool_)
    hidden = max(2, round(CONFIDENTIAL_SHARE * people))
    of_land = np.unique(compact[p["kind"][owned[order]] == Kind.LAND])
    persons = of_land[company[of_land] < 0]
    confidential[rng.choice(persons, hidden, replace=False)] = True
    return People(
        people,
        confidential,
        company,
        rng.integers(0, len(FIRST_NAMES), people),
        np.where(rng.random(people) < 0.45, rng.integers(0, len(FIRST_NAMES), people), -1),
        rng.integers(0, len(LAST_NAMES), people),
        owned[order],
        compact.astype(np.int64),
        percent[order],
    )


def account_names(people: People) -> pa.Array:
    """File-as names: LAST, FIRST & FIRST of a person, the name of a body."""
    person = people.company < 0
    single = join(pick(LAST_NAMES, people.last), ", ", pick(FIRST_NAMES, people.first))
    couple = join(single, " & ", pick(FIRST_NAMES, np.maximum(people.second, 0)))
    name = where(people.second >= 0, couple, single)
    bodies = pick((*COMPANIES, *PUBLIC_BODIES), np.maximum(people.company, 0))
    return where(person, name, bodies)


def account_table(people: People, bad_names: dict[int, str]) -> Table:
    """dbo.account, without the personal columns that must never be extracted."""
    rows = np.arange(people.accounts)
    person = people.company < 0
    names = account_names(people).to_pandas().to_numpy(dtype=object)
    for row, name in bad_names.items():
        names[row] = name
    shown = pa.array(names, pa.string())
    hidden = people.confidential
    return {
        "acct_id": people.account_id(rows),
        "first_name": where(person, pick(FIRST_NAMES, people.first)),
        "last_name": where(person, pick(LAST_NAMES, people.last)),
        "file_as_name": shown,
        "acct_create_dt": "2004-06-01 00:00:00",
        "confidential_flag": pick(("F", "T", None), np.where(
            rows % 11 == 5, 2 - hidden.astype(np.int64), hidden.astype(np.int64))),
        "confidential_file_as_name": where(hidden, "CONFIDENTIAL OWNER"),
        "update_dt": "2025-08-15 00:00:00",
    }  # fmt: skip


def address_table(people: People, land: Land, rng: np.random.Generator) -> Table:
    """dbo.address: one primary mailing address per account, for some a second one."""
    count = people.accounts
    city = land.hoods["city"][land.properties["hood"]]
    home = np.zeros(count, dtype=np.int64)
    home[people.owner[::-1]] = city[people.owned[::-1]]
    number = rng.integers(100, 9900, count)
    line = join(pa.array(number).cast(pa.string()), " ",
                pick(STREETS, rng.integers(0, len(STREETS), count)), " ",
                pick(SUFFIXES, rng.integers(0, len(SUFFIXES), count)))  # fmt: skip
    box = join("PO BOX ", pa.array(number).cast(pa.string()))
    away = rng.random(count) < 0.11
    zips = pick([place.zips[0] for place in CITIES], home)
    two = np.flatnonzero(rng.random(count) < 0.05)
    rows = np.concatenate([np.arange(count), two])
    second = np.arange(len(rows)) >= count
    order = np.lexsort((second, rows))
    rows, second = rows[order], second[order]
    plus_four = digits(number, 4)
    zip_code = where(away, "98101", zips).take(pa.array(rows))
    return {
        "acct_id": people.account_id(rows),
        "addr_type_cd": pick(("M    ", "H    "), second.astype(np.int64)),
        "primary_addr": pick(("Y", "N"), second.astype(np.int64)),
        "addr_line1": where(second, box.take(pa.array(rows)), line.take(pa.array(rows))),
        "addr_city": where(away, "SEATTLE", pick([c.name.upper() for c in CITIES], home)).take(
            pa.array(rows)),
        "addr_state": "WA", "country_cd": "US   ", "ml_deliverable": "Y",
        "zip": zip_code, "cass": plus_four.take(pa.array(rows)),
        "addr_zip": join(zip_code, "-", plus_four.take(pa.array(rows))),
        "is_international": 0,
    }  # fmt: skip
