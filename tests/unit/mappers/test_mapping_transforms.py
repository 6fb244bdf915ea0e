"""Named transforms and conversions: the value, and when it counts as failed."""

from datetime import date
from pathlib import Path

import duckdb
import pytest

from terrafusion_lib.core.errors import MappingError
from terrafusion_lib.core.sql import literal
from terrafusion_lib.core.tables import Kind
from terrafusion_lib.mappers.conversions import GARBLED, convert
from terrafusion_lib.mappers.expressions import AGGREGATES, SCALARS, Scope, read_expression
from terrafusion_lib.mappers.transforms import TRANSFORMS, read_step

ROOT = Path(__file__).resolve().parents[3]


def value_of(sql: str) -> object:
    with duckdb.connect() as engine:
        row = engine.execute(f"SELECT {sql}").fetchone()
    assert row
    return row[0]


@pytest.mark.parametrize(
    ("transform", "given", "expected"),
    [
        ("trim", "'  a '", "a"),
        ("trim", "'   '", None),
        ("upper", "'abc'", "ABC"),
        ("lower", "'ABC'", "abc"),
        ("collapse_whitespace", "' a  b\t\tc '", "a b c"),
        ("crlf_to_comma", "'1 A ST\r\nKENNEWICK, WA'", "1 A ST, KENNEWICK, WA"),
        ("crlf_to_comma", "'1 A ST  \r\n\r\nKENNEWICK\r\n'", "1 A ST, KENNEWICK"),
        ("crlf_to_comma", "'\nA'", "A"),
        ("digits", "'1-1288-202'", "11288202"),
        ("pad_left(5, 0)", "'42'", "00042"),
        ("pad_left(2, 0)", "'4211'", "4211"),
        ("zero_to_null", "0", None),
        ("zero_to_null", "'0.0'", None),
        ("zero_to_null", "7", 7),
        ("acres_to_sqft", "0.5", 21_780),
    ],
)
def test_transforms(transform: str, given: str, expected: object) -> None:
    assert value_of(read_step(transform).sql(given)) == expected


def test_null_stays_null_in_every_transform() -> None:
    for name, transform in TRANSFORMS.items():
        if transform.kind is None:
            text = f"{name}(5, 0)" if transform.arguments else name
            assert value_of(read_step(text).sql("CAST(NULL AS VARCHAR)" if name != "acres_to_sqft"
                                                else "CAST(NULL AS DOUBLE)")) is None  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "sql_type", "given", "expected"),
    [
        (Kind.TEXT, "BIGINT", "42", "42"),
        (Kind.TEXT, "DOUBLE", "42.0", "42"),
        (Kind.TEXT, "DOUBLE", "42.5", "42.5"),
        (Kind.TEXT, "VARCHAR", "' a '", "a"),
        (Kind.INTEGER, "VARCHAR", "' 1,987 '", 1987),
        (Kind.INTEGER, "DOUBLE", "1987.0", 1987),
        (Kind.NUMBER, "VARCHAR", "'$1,234.50'", 1234.5),
        (Kind.MONEY, "BIGINT", "7", 7.0),
        (Kind.BOOLEAN, "VARCHAR", "'Yes'", True),
        (Kind.BOOLEAN, "BIGINT", "0", False),
        (Kind.DATE, "VARCHAR", "'2025-03-01 00:00:00'", date(2025, 3, 1)),
        (Kind.DATE, "TIMESTAMP", "TIMESTAMP '2025-03-01 23:59:00'", date(2025, 3, 1)),
        (Kind.TEXT, '"NULL"', "NULL", None),
    ],
)
def test_conversions(kind: Kind, sql_type: str, given: str, expected: object) -> None:
    conversion = convert(kind, sql_type)
    source = f"(CAST({given} AS {sql_type}))" if sql_type != '"NULL"' else "NULL"
    assert value_of(conversion.value.replace("{x}", source)) == expected
    if conversion.failed:
        assert value_of(conversion.failed.replace("{x}", source)) is not True


@pytest.mark.parametrize(
    ("kind", "sql_type", "given", "reason"),
    [
        (Kind.INTEGER, "VARCHAR", "twelve", "not a whole number"),
        (Kind.INTEGER, "DOUBLE", "1987.5", "not a whole number"),
        (Kind.INTEGER, "DOUBLE", "1e300", "not a whole number"),
        (Kind.NUMBER, "VARCHAR", "1.2.3", "not a number"),
        (Kind.NUMBER, "VARCHAR", "nan", "not a number"),
        (Kind.NUMBER, "DOUBLE", "inf", "not a number"),
        (Kind.NUMBER, "DATE", "2025-01-01", "date is not a number"),
        (Kind.BOOLEAN, "VARCHAR", "maybe", "not true or false"),
        (Kind.DATE, "VARCHAR", "0000-00-00", "not a date"),
        (Kind.DATE, "VARCHAR", "2025-02-30", "not a date"),
        (Kind.DATE, "VARCHAR", "03/01/2025", "not a date"),
        (Kind.DATE, "VARCHAR", "1753-01-01 00:00:00", "placeholder date"),
        (Kind.DATE, "DATE", "1900-01-01", "placeholder date"),
    ],
)
def test_what_cannot_be_converted_is_a_failure_with_its_reason(
    kind: Kind, sql_type: str, given: str, reason: str
) -> None:
    conversion = convert(kind, sql_type)
    told = conversion.of(f"CAST({literal(given)} AS {sql_type})", literal(given))
    assert value_of(told.value) is None
    assert value_of(told.failed) is True
    assert value_of(told.reason) == reason


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5,000", 5_000), ("$1,234.50", 1_234.5), ("1,234,567", 1_234_567), (" 12 ", 12),
        ("-$5", -5), (".5", 0.5), ("1e5", 100_000), ("+7", 7),
        ("5,000\n6,500", None), ("2\n1", None), ("1,5", None), ("310,00", None),
        ("12,34", None), ("1234,567", None), ("1 234", None), ("1_000", None), ("$", None),
    ],
)  # fmt: skip
def test_a_number_is_read_as_it_is_written_or_not_at_all(text: str, number: float | None) -> None:
    told = convert(Kind.MONEY, "VARCHAR").of(literal(text), literal(text))
    assert value_of(told.value) == number
    assert value_of(told.failed) is (number is None)


@pytest.mark.parametrize(
    ("text", "number"), [("1.234,50", 1_234.5), ("1,5", 1.5), ("310,00", 310), ("1.5", None)]
)
def test_a_decimal_comma_is_read_where_it_is_declared(text: str, number: float | None) -> None:
    told = convert(Kind.NUMBER, "VARCHAR", decimal=",").of(literal(text), literal(text))
    assert value_of(told.value) == number


@pytest.mark.parametrize(
    ("text", "formats", "day", "reason"),
    [
        ("3/5/2022", "%m/%d/%Y", "2022-03-05", ""),
        ("3/5/22", "%m/%d/%Y", None, "not a date"),
        ("3/5/22", "%m/%d/%y", "2022-03-05", ""),
        ("3/5/62", "%m/%d/%y", "1962-03-05", ""),
        ("3/5/22", "%m/%d/%Y|%m/%d/%y", "2022-03-05", ""),
        ("1/1/1900", "%m/%d/%Y", None, "placeholder date"),
        ("12/30/1899", "%m/%d/%Y", None, "placeholder date"),
        ("1899-12-31", "", None, "placeholder date"),
        ("31.12.9999", "%d.%m.%Y", None, "placeholder date"),
    ],
)
def test_a_date_means_the_same_in_every_format(
    text: str, formats: str, day: str | None, reason: str
) -> None:
    told = convert(Kind.DATE, "VARCHAR", formats=formats).of(literal(text), literal(text))
    assert value_of(f"CAST({told.value} AS VARCHAR)") == day
    assert value_of(told.failed) is (day is None)
    if day is None:
        assert value_of(told.reason) == reason


def test_a_whole_number_is_text_without_decimals() -> None:
    scope = Scope("main", {"main": ("x",)})
    query = read_expression("cast(x as text)", scope).sql({})
    rows = duckdb.sql(f"SELECT {query} FROM (VALUES (530123456701.0::DOUBLE), (1.5)) AS main(x)")
    assert rows.fetchall() == [("530123456701",), ("1.5",)]
    texts = duckdb.sql(f"SELECT {query} FROM (VALUES ('5.0')) AS main(x)")
    assert texts.fetchall() == [("5.0",)], "text stays as it is"


@pytest.mark.parametrize("blank", ["''", "'   '", "NULL"])
@pytest.mark.parametrize("kind", [Kind.INTEGER, Kind.NUMBER, Kind.BOOLEAN, Kind.DATE])
def test_blank_text_is_null_and_no_failure(kind: Kind, blank: str) -> None:
    conversion = convert(kind, "VARCHAR")
    source = f"CAST({blank} AS VARCHAR)"
    assert value_of(conversion.value.replace("{x}", source)) is None
    assert not value_of(conversion.failed.replace("{x}", source))


def test_dates_and_truth_in_the_form_of_the_source() -> None:
    formats = convert(Kind.DATE, "VARCHAR", formats="%m/%d/%Y|%Y%m%dT%H%M%S")
    assert value_of(formats.value.replace("{x}", "'03/01/2025'")) == date(2025, 3, 1)
    assert value_of(formats.value.replace("{x}", "'20141013T000000'")) == date(2014, 10, 13)
    words = convert(Kind.BOOLEAN, "VARCHAR", words="A|B")
    assert value_of(words.value.replace("{x}", "'b '")) is True
    assert value_of(words.value.replace("{x}", "'T'")) is False


@pytest.mark.parametrize(
    ("text", "garbled"),
    [
        ("PEÃ‘A, JOSÃ‰", True),
        ("CafÃ©", True),
        ("Oâ€™BRIEN", True),
        ("MU\ufffdOZ", True),
        ("PEÑA, JOSÉ", False),
        ("SÃO PAULO", False),
        ("CAÑADA VIEJA", False),
        ("PLAIN", False),
    ],
)
def test_text_of_a_wrong_encoding_is_told_from_letters_with_accents(
    text: str, garbled: bool
) -> None:
    assert value_of(GARBLED.replace("{x}", literal(text))) is garbled


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("trm", "no transform 'trm'.*did you mean trim"),
        ("frobnicate(1)", "no transform 'frobnicate'"),
        ("pad_left(5)", r"takes 2 argument\(s\), not 1"),
        ("trim(3)", r"takes 0 argument\(s\), not 1"),
    ],
)
def test_an_unknown_transform_or_argument_is_refused(text: str, message: str) -> None:
    with pytest.raises(MappingError, match=message.split(".*", maxsplit=1)[0]) as caught:
        read_step(text)
    assert all(part in str(caught.value) for part in message.replace("\\", "").split(".*"))


def test_the_reference_lists_every_transform_and_function() -> None:
    text = (ROOT / "docs" / "reference" / "mapping.md").read_text(encoding="utf-8")
    listed = {word for line in text.splitlines() for word in line.replace("`", " ").split()}
    missing = [
        name
        for name in (*TRANSFORMS, *SCALARS, *AGGREGATES - {"count_star"})
        if name not in {word.strip(",.:;()") for word in listed}
    ]
    assert not missing
