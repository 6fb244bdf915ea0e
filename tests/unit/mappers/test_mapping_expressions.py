"""Expressions of a mapping: what they may do, what they may not, and what they are bound to."""

import pytest

from terrafusion_lib.core.errors import MappingError
from terrafusion_lib.mappers.expressions import Scope, read_expression

PARAMETERS = {"assessment_year": 2026, "county_id": "demo_wa", "first_year": 2022}


def scope_with(scope: Scope, **named: str) -> Scope:
    """The scope with named expressions, each of which may use those before it."""
    for name, text in named.items():
        scope = scope.naming(name, read_expression(text, scope))
    return scope


SCOPE = scope_with(
    Scope(
        "sale",
        {"sale": ("sl_price", "bPrimary", "date"), "type": ("main_area", "code")},
        frozenset({"condition_scale"}),
    ),
    has_price="sl_price > 0",
    is_main="has_price and type.main_area = 'T'",
)


@pytest.mark.parametrize(
    ("text", "references"),
    [
        ("sl_price", {("sale", "sl_price")}),
        ("BPRIMARY", {("sale", "bPrimary")}),
        ("sale.date", {("sale", "date")}),
        ("case when type.main_area = 'T' then 1 end", {("type", "main_area")}),
        ("condition_scale(type.code)", {("type", "code")}),
        ("is_main", {("sale", "sl_price"), ("type", "main_area")}),
        ("$assessment_year - 1", set()),
        ("'T'", set()),
    ],
)
def test_columns_are_found_whatever_their_case_or_place(
    text: str, references: set[tuple[str, str]]
) -> None:
    assert read_expression(text, SCOPE).references == references


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(select 1)", "subquery is not allowed"),
        ("sum(sl_price) over ()", "window aggregate is not allowed|window is not allowed"),
        ("*", "star is not allowed"),
        ("read_text('/etc/passwd')", "read_text is not allowed"),
        ("getenv('HOME')", "getenv is not allowed"),
        ("random()", "Next: use nothing: a run must be repeatable"),
        ("avg(sl_price)", r"use sum\(x\) / count\(x\)"),
        ("string_agg(type.code, ',')", "needs an ORDER BY"),
        ("sl_price from sale", "it is not one value"),
        ("sl_price, date", "it is not one value"),
        ("sl_price as price", "it is not one value"),
        ("sl_price; drop table sale", "Only SELECT statements|syntax error"),
        ("sl_price +", "syntax error"),
        ("$county", r"no parameter \$county"),
        ("sl_prise", "sale has no column sl_prise.*did you mean sl_price"),
        ("main_area", "did you mean type.main_area"),
        ("typ.code", r"typ.code names no table in reach.*did you mean type.code"),
        ("a.b.c", "names no table in reach"),
        ("uper(type.code)", "function uper is not allowed.*use upper"),
    ],
)
def test_what_is_not_allowed_is_refused_with_the_way_out(text: str, message: str) -> None:
    with pytest.raises(MappingError) as caught:
        read_expression(text, SCOPE)
    assert f"«{text}»" in str(caught.value)
    assert __import__("re").search(message, str(caught.value))


def test_parameters_take_their_values() -> None:
    assert "2026" in read_expression("$assessment_year", SCOPE).sql(PARAMETERS)
    assert "'demo_wa'" in read_expression("$county_id", SCOPE).sql(PARAMETERS)
    later = read_expression("$assessment_year - 1", SCOPE)
    assert later.sql(PARAMETERS) != later.sql(PARAMETERS | {"assessment_year": 2027})


def test_an_expression_knows_whether_it_is_a_column_as_it_stands() -> None:
    assert read_expression("BPRIMARY", SCOPE).column == ("sale", "bPrimary")
    assert read_expression("type.code", SCOPE).column == ("type", "code")
    assert read_expression("sl_price + 1", SCOPE).column is None
    assert read_expression("has_price", SCOPE).column is None


def test_sums_are_exact_so_that_their_order_does_not_matter() -> None:
    import duckdb

    scope = Scope("t", {"t": ("x",)})
    query = f"SELECT {read_expression('sum(x)', scope).sql({})} FROM t"
    with duckdb.connect() as engine:
        engine.execute("CREATE TABLE t AS SELECT unnest([0.1, 0.2, 0.3, 1e12, -1e12]::DOUBLE[]) x")
        assert engine.execute(query).fetchone() == (0.6,)
