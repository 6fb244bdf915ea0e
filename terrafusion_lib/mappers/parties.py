"""What the names of a sale's two parties say: ``party_relation(seller, buyer)`` of a mapping.

Only the finding is mapped, so names of private persons stay in the raw layer. It is evidence for a
person to look at: two strangers may share a surname.
"""

import duckdb

from terrafusion_lib.core.sql import literal

PARTY_RELATION = "party_relation"
_BODIES = (
    "LLC LLP LP INC INCORPORATED CORP CORPORATION CO COMPANY LTD PLLC PS BANK ASSOCIATION ASSN "
    "PARTNERS PARTNERSHIP HOLDINGS PROPERTIES HOMES BUILDERS FUND FOUNDATION"
)
_PUBLIC = "CITY PORT STATE COUNTY STATES USA HUD DISTRICT AUTHORITY CHURCH DIOCESE DEPARTMENT DEPT"
_SELLERS = {
    "bankruptcy": "BANKRUPTCY RECEIVER",
    "sheriff or court": "SHERIFF BAILEE",
    "estate or guardian": "ESTATE EXECUTOR EXECUTRIX GUARDIAN REPRESENTATIVE",
}
_IGNORED = (
    f"{_BODIES} THE OF AN AND TRUST TRUSTEE TRUSTEES TTEE FAMILY LIVING REVOCABLE IRREVOCABLE "
    f"UNKNOWN VARIOUS NONE ESTATE ETAL ETUX ETVIR ET AL UX VIR JR SR II III IV"
)
RELATIONS = ("same party", "same surname", *_SELLERS, "public or exempt body")
"""What the function may say; null when the names say nothing or one is unknown."""
_MARKS = '-/&+;:()#*"'


def _list(words: str) -> str:
    return f"[{', '.join(literal(word) for word in words.split())}]"


def _has(words: str, parts: str) -> str:
    return f"list_has_any({words}, {_list(parts)})"


_WORDS = f"""
list_filter(string_split(replace(translate(translate(upper(strip_accents(CAST(name AS VARCHAR))),
    '''’`.', ''), {literal(_MARKS)}, {literal(" " * len(_MARKS))}), ',', ' , '), ' '),
    lambda word: word <> '')
"""
_TELLING = f"""
list_sort(list_distinct(list_filter(words,
    lambda word: length(word) > 1 AND NOT list_contains({_list(_IGNORED)}, word))))
"""
_SURNAME = f"""
CASE WHEN list_contains(words, ',') THEN array_to_string(words[:list_position(words, ',') - 1], ' ')
ELSE list_filter(words, lambda word: NOT list_contains({_list(_IGNORED)}, word))[1] END
"""
_SAME = """
len(seller) > 0 AND len(buyer) > 0 AND ((seller = buyer AND (bodies OR len(seller) > 1))
    OR (NOT bodies AND least(len(seller), len(buyer)) > 1
        AND (list_has_all(seller, buyer) OR list_has_all(buyer, seller))))
"""
_BODY = f"({_has('seller', _BODIES)} OR {_has('buyer', _BODIES)})"
_CAPACITY = " ".join(
    f"WHEN {_has('seller', words)} THEN {literal(name)}" for name, words in _SELLERS.items()
)
_COMMON = "list_has_any(list_filter(seller, lambda word: word <> ','), buyer)"
_RELATION = f"""
CASE WHEN NOT ({_COMMON} OR {_has("seller", f"{' '.join(_SELLERS.values())} {_PUBLIC}")}
        OR {_has("buyer", _PUBLIC)}) THEN NULL
    WHEN {_COMMON} AND party_same(party_telling(seller), party_telling(buyer), {_BODY})
        THEN 'same party'
    {_CAPACITY}
    WHEN {_has("seller", _PUBLIC)} OR {_has("buyer", _PUBLIC)} THEN 'public or exempt body'
    WHEN NOT {_BODY} AND length(party_surname(seller)) > 1
        AND party_surname(seller) = party_surname(buyer) THEN 'same surname' END
"""


def add_party_relation(connection: duckdb.DuckDBPyConnection) -> None:
    """Define the function in an engine.

    Names are read as recorders file them: ``LAST, FIRST & FIRST``, ``LAST FIRST``, ``NAME LLC``.
    Case, accents, punctuation, initials, legal forms and the words of trusts do not count. *Same
    party*: one's words, more than a surname, are all among the other's, or two bodies are one but
    for their legal form.
    """
    for head, body in (
        ("party_words(name)", _WORDS),
        ("party_telling(words)", _TELLING),
        ("party_surname(words)", _SURNAME),
        ("party_same(seller, buyer, bodies)", _SAME),
        ("party_words_relation(seller, buyer)", _RELATION),
        (
            f"{PARTY_RELATION}(seller, buyer)",
            # A lambda's parameter is computed once, a macro's wherever it stands.
            """list_transform([{'seller': party_words(seller), 'buyer': party_words(buyer)}],
            lambda names: party_words_relation(names.seller, names.buyer))[1]""",
        ),
    ):
        connection.execute(f"CREATE MACRO {head} AS {body}")
