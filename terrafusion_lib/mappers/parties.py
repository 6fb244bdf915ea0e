"""What the names of a sale's two parties say: ``party_relation(seller, buyer)`` of a mapping.

Only the finding is mapped, so names of private persons stay in the raw layer. It is evidence for a
person to look at: two strangers may share a surname.
"""

import duckdb

from terrafusion_lib.core.sql import literal
from terrafusion_lib.mappers.pieces import case, text_array

PARTY_RELATION = "party_relation"
SAME_PARTY, SAME_SURNAME, PUBLIC_BODY = "same party", "same surname", "public or exempt body"
_BODIES = (
    "LLC LLP LP INC INCORPORATED CORP CORPORATION CO COMPANY LTD PLLC PS BANK ASSOCIATION ASSN "
    "PARTNERS PARTNERSHIP HOLDINGS PROPERTIES HOMES BUILDERS FUND FOUNDATION"
)
_PUBLIC = "CITY PORT STATE COUNTY STATES USA HUD DISTRICT AUTHORITY CHURCH DIOCESE DEPARTMENT DEPT"
_CAPACITIES = {
    "bankruptcy": "BANKRUPTCY RECEIVER",
    "sheriff or court": "SHERIFF BAILEE",
    "estate or guardian": "ESTATE EXECUTOR EXECUTRIX GUARDIAN REPRESENTATIVE",
}
"""In what capacity a seller acts, and the words that say so."""
_TELLING_OF_SELLER = " ".join((*_CAPACITIES.values(), _PUBLIC))
_IGNORED = (
    f"{_BODIES} THE OF AN AND TRUST TRUSTEE TRUSTEES TTEE FAMILY LIVING REVOCABLE IRREVOCABLE "
    f"UNKNOWN VARIOUS NONE ESTATE ETAL ETUX ETVIR ET AL UX VIR JR SR II III IV"
)
RELATIONS = (SAME_PARTY, SAME_SURNAME, *_CAPACITIES, PUBLIC_BODY)
"""What the function may say; null when the names say nothing or one is unknown."""
_DROPPED = "'’`."
_BLANKED = '-/&+;:()#*"'


def _has(words: str, some: str) -> str:
    return f"list_has_any({words}, {text_array(some.split())})"


_PLAIN_TEXT = "upper(strip_accents(CAST(name AS VARCHAR)))"
_JOINED = f"translate({_PLAIN_TEXT}, {literal(_DROPPED)}, '')"
_SPACED = f"translate({_JOINED}, {literal(_BLANKED)}, {literal(' ' * len(_BLANKED))})"
_FINDINGS = [
    ("party_tell_nothing(seller, buyer)", "NULL"),
    ("party_are_one(seller, buyer)", literal(SAME_PARTY)),
    *((_has("seller", words), literal(capacity)) for capacity, words in _CAPACITIES.items()),
    ("party_is_public(seller) OR party_is_public(buyer)", literal(PUBLIC_BODY)),
    (
        "NOT party_any_body(seller, buyer) AND party_same_surname(seller, buyer)",
        literal(SAME_SURNAME),
    ),
]
"""What the words of seller and buyer say, the first that holds."""
_MACROS = {
    "party_words(name)": f"""
        list_filter(string_split(replace({_SPACED}, ',', ' , '), ' '), lambda word: word <> '')""",
    "party_counts(word)": f"NOT list_contains({text_array(_IGNORED.split())}, word)",
    "party_is_body(words)": _has("words", _BODIES),
    "party_is_public(words)": _has("words", _PUBLIC),
    "party_telling(words)": """
        list_sort(list_distinct(list_filter(words,
            lambda word: length(word) > 1 AND party_counts(word))))""",
    "party_surname(words)": """
        CASE WHEN list_contains(words, ',')
            THEN array_to_string(words[:list_position(words, ',') - 1], ' ')
        ELSE CAST(list_filter(words, lambda word: party_counts(word))[1] AS VARCHAR) END""",
    "party_share_a_word(seller, buyer)": """
        list_has_any(list_filter(seller, lambda word: word <> ','), buyer)""",
    "party_any_body(seller, buyer)": "(party_is_body(seller) OR party_is_body(buyer))",
    "party_same(seller, buyer, bodies)": """
        len(seller) > 0 AND len(buyer) > 0 AND (
            (seller = buyer AND (bodies OR len(seller) > 1))
            OR (NOT bodies AND least(len(seller), len(buyer)) > 1
                AND (list_has_all(seller, buyer) OR list_has_all(buyer, seller))))""",
    "party_same_surname(seller, buyer)": """
        length(party_surname(seller)) > 1 AND party_surname(seller) = party_surname(buyer)""",
    "party_are_one(seller, buyer)": """
        party_share_a_word(seller, buyer) AND party_same(
            party_telling(seller), party_telling(buyer), party_any_body(seller, buyer))""",
    "party_tell_nothing(seller, buyer)": f"""
        NOT (party_share_a_word(seller, buyer) OR {_has("seller", _TELLING_OF_SELLER)}
            OR party_is_public(buyer))""",
    "party_words_relation(seller, buyer)": case(_FINDINGS),
    # A lambda's parameter is computed once, a macro's wherever it stands.
    f"{PARTY_RELATION}(seller, buyer)": """
        list_transform([{'seller': party_words(seller), 'buyer': party_words(buyer)}],
            lambda names: party_words_relation(names.seller, names.buyer))[1]""",
}
"""Macros of the engine, each built on those above it."""


def add_party_relation(connection: duckdb.DuckDBPyConnection) -> None:
    """Define the function in an engine.

    Names are read as recorders file them: ``LAST, FIRST & FIRST``, ``LAST FIRST``, ``NAME LLC``.
    Case, accents, punctuation, initials, legal forms and the words of trusts do not count. *Same
    party*: one's words, more than a surname, are all among the other's, or two bodies are one but
    for their legal form.
    """
    for head, body in _MACROS.items():
        connection.execute(f"CREATE MACRO {head} AS {body}")
