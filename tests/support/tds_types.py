"""Column types of TDS 7.4: their metadata and values on the wire."""

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

COLLATION = bytes.fromhex("0904d00034")  # SQL_Latin1_General_CP1_CI_AS: text in cp1252
CODE_PAGE = "cp1252"
INTN, BITN, FLTN, NUMERICN, DATETIMN = 0x26, 0x68, 0x6D, 0x6C, 0x6F
DATEN, DATETIME2N = 0x28, 0x2A
VARCHAR, CHAR, NVARCHAR, VARBINARY, BINARY = 0xA7, 0xAF, 0xE7, 0xA5, 0xAD
TEXT, NTEXT = 0x23, 0x63
MAX = 0xFFFF
INT_SIZES = {"tinyint": 1, "smallint": 2, "int": 4, "integer": 4, "bigint": 8}
FIXED = {0x30: 1, 0x32: 1, 0x34: 2, 0x38: 4, 0x3E: 8, 0x7F: 8, 0x3D: 8}
NUMERIC = {"numeric", "decimal", "money"}
ROW_VERSION = {"binary", "rowversion", "timestamp"}
BYTES = ROW_VERSION | {"varbinary", "blob", "image"}
FIXED_INFO = {
    "bit": (BITN, 1),
    "float": (FLTN, 8),
    "real": (FLTN, 8),
    "datetime": (DATETIMN, 8),
    "smalldatetime": (DATETIMN, 8),
    "date": (DATEN,),
    "datetime2": (DATETIME2N, 7),
}
EPOCH_1900 = date(1900, 1, 1)


@dataclass(frozen=True)
class Column:
    """A result column: its name and type as T-SQL declares it, such as ``numeric(14,4)``."""

    name: str
    declared: str

    @property
    def base(self) -> str:
        return self.declared.partition("(")[0].strip().lower()

    @property
    def sizes(self) -> list[int]:
        _, _, inside = self.declared.partition("(")
        return [int(text) for text in re.findall(r"\d+", inside)]

    @property
    def digits(self) -> tuple[int, int]:
        """Precision and scale."""
        precision, scale = (*self.sizes, 0)[:2] if self.sizes else (19, 4)
        return precision, scale


def b_varchar(text: str) -> bytes:
    return bytes([len(text)]) + text.encode("utf-16-le")


def us_varchar(text: str) -> bytes:
    return struct.pack("<H", len(text)) + text.encode("utf-16-le")


def type_info(column: Column) -> bytes:
    """TYPE_INFO of a column."""
    base, sizes = column.base, column.sizes
    if base in INT_SIZES:
        return bytes([INTN, INT_SIZES[base]])
    if base in NUMERIC:
        return bytes([NUMERICN, 17, *column.digits])
    if base in FIXED_INFO:
        return bytes(FIXED_INFO[base])
    if base in BYTES:
        kind, size = (BINARY, 8) if base in ROW_VERSION else (VARBINARY, MAX)
        return struct.pack("<BH", kind, sizes[0] if sizes else size)
    size = sizes[0] if sizes else MAX
    if base in ("nvarchar", "nchar"):
        return struct.pack("<BH", NVARCHAR, min(size * 2, MAX)) + COLLATION
    return struct.pack("<BH", CHAR if base == "char" else VARCHAR, size) + COLLATION


def encode(column: Column, value: object) -> bytes:
    """One value of a row."""
    base = column.base
    if base in INT_SIZES:
        signed = base != "tinyint"
        return _sized(value, lambda v: int(v).to_bytes(INT_SIZES[base], "little", signed=signed))
    if base in NUMERIC:
        return _sized(value, lambda v: _numeric(v, column.digits[1]))
    if base in WRITERS:
        return _sized(value, WRITERS[base])
    data = None if value is None else _long_value(value, base)
    if base not in ROW_VERSION and not column.sizes:
        return _partial(data)
    return struct.pack("<H", MAX) if data is None else struct.pack("<H", len(data)) + data


def _long_value(value: object, base: str) -> bytes:
    if isinstance(value, bytes):
        return value
    return str(value).encode("utf-16-le" if base in ("nvarchar", "nchar") else CODE_PAGE)


def read_parameter(data: memoryview, at: int) -> tuple[object, int]:
    """TYPE_INFO and value of an RPC parameter; returns the value and the next position."""
    kind = data[at]
    at += 1
    if kind in FIXED:
        return _number(kind, bytes(data[at : at + FIXED[kind]])), at + FIXED[kind]
    if kind in (INTN, BITN, FLTN, DATETIMN):
        size = data[at + 1]
        raw = bytes(data[at + 2 : at + 2 + size])
        return _number(kind, raw) if size else None, at + 2 + size
    if kind == NUMERICN:
        scale, size = data[at + 2], data[at + 3]
        raw = bytes(data[at + 4 : at + 4 + size])
        sign = 1 if size and raw[0] else -1
        value = Decimal(sign * int.from_bytes(raw[1:], "little")).scaleb(-scale) if size else None
        return value, at + 4 + size
    if kind in (VARCHAR, CHAR, NVARCHAR):
        (longest,) = struct.unpack_from("<H", data, at)
        raw, at = _long(data, at + 7, partial=longest == MAX)
        code = "utf-16-le" if kind == NVARCHAR else CODE_PAGE
        return None if raw is None else raw.decode(code), at
    if kind in (TEXT, NTEXT):
        (size,) = struct.unpack_from("<i", data, at + 9)
        raw = bytes(data[at + 13 : at + 13 + max(size, 0)])
        code = "utf-16-le" if kind == NTEXT else CODE_PAGE
        return raw.decode(code) if size >= 0 else None, at + 13 + max(size, 0)
    if kind in (VARBINARY, BINARY):
        (longest,) = struct.unpack_from("<H", data, at)
        return _long(data, at + 2, partial=longest == MAX)
    raise ValueError(f"parameter type {kind:#x} is not served")


def _long(data: memoryview, at: int, *, partial: bool) -> tuple[bytes | None, int]:
    if not partial:
        (size,) = struct.unpack_from("<H", data, at)
        if size == MAX:
            return None, at + 2
        return bytes(data[at + 2 : at + 2 + size]), at + 2 + size
    (total,) = struct.unpack_from("<Q", data, at)
    at += 8
    if total == 0xFFFFFFFFFFFFFFFF:
        return None, at
    parts = []
    while True:
        (size,) = struct.unpack_from("<I", data, at)
        at += 4
        if not size:
            return b"".join(parts), at
        parts.append(bytes(data[at : at + size]))
        at += size


def _number(kind: int, raw: bytes) -> object:
    if kind in (FLTN, 0x3E):
        return struct.unpack("<d" if len(raw) == 8 else "<f", raw)[0]
    if kind in (DATETIMN, 0x3D):
        days, ticks = struct.unpack("<iI", raw)
        day = date.fromordinal(EPOCH_1900.toordinal() + days)
        return (
            f"{day} {ticks // 300 // 3600:02}:{ticks // 300 // 60 % 60:02}:{ticks // 300 % 60:02}"
        )
    return int.from_bytes(raw, "little", signed=True)


def _sized(value: object, write: Callable[[Any], bytes]) -> bytes:
    if value is None:
        return b"\0"
    data = write(value)
    return bytes([len(data)]) + data


def _numeric(value: object, scale: int) -> bytes:
    scaled = int(Decimal(str(value)).scaleb(scale).to_integral_value())
    return bytes([scaled >= 0]) + abs(scaled).to_bytes(16, "little")


def _moment(value: object) -> datetime:
    return datetime.fromisoformat(str(value))


def _datetime(value: datetime) -> bytes:
    days = value.date().toordinal() - EPOCH_1900.toordinal()
    ticks = (value.hour * 3600 + value.minute * 60 + value.second) * 300
    return struct.pack("<iI", days, ticks + round(value.microsecond * 3 / 10_000))


def _datetime2(value: datetime) -> bytes:
    seconds = value.hour * 3600 + value.minute * 60 + value.second
    time = (seconds * 10**6 + value.microsecond) * 10
    return time.to_bytes(5, "little") + (value.date().toordinal() - 1).to_bytes(3, "little")


WRITERS: dict[str, Callable[[Any], bytes]] = {
    "bit": lambda value: bytes([bool(value)]),
    "float": lambda value: struct.pack("<d", float(value)),
    "real": lambda value: struct.pack("<d", float(value)),
    "datetime": lambda value: _datetime(_moment(value)),
    "smalldatetime": lambda value: _datetime(_moment(value)),
    "date": lambda value: (_moment(value).date().toordinal() - 1).to_bytes(3, "little"),
    "datetime2": lambda value: _datetime2(_moment(value)),
}


def _partial(data: bytes | None) -> bytes:
    if data is None:
        return b"\xff" * 8
    chunk = struct.pack("<I", len(data)) + data if data else b""
    return struct.pack("<Q", len(data)) + chunk + struct.pack("<I", 0)
