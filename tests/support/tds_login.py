"""PRELOGIN and LOGIN7 of TDS 7.4, both sides."""

import struct

from tests.support.tds_types import COLLATION, b_varchar

NAME = "pacs_oltp"
DONE, LOGINACK, ENVCHANGE, FEATURE_ACK = 0xFD, 0xAD, 0xE3, 0xAE
ENCRYPT_ON, ENCRYPT_NOT_SUPPORTED = 1, 2


def done(token: int, status: int, count: int = 0) -> bytes:
    """A DONE, DONEPROC or DONEINPROC token."""
    return struct.pack("<BHHQ", token, status, 0xC1, count)


def read_prelogin(data: bytes) -> dict[int, bytes]:
    """Options of a PRELOGIN message."""
    options, at = {}, 0
    while data[at] != 0xFF:
        option, offset, length = struct.unpack_from(">BHH", data, at)
        options[option] = data[offset : offset + length]
        at += 5
    return options


def read_login(data: bytes) -> dict[str, object]:
    """What a LOGIN7 message says; passwords come with nibbles swapped and bits flipped."""

    def text(at: int) -> bytes:
        offset, length = struct.unpack_from("<HH", data, at)
        return data[offset : offset + 2 * length]

    flipped = bytes(byte ^ 0xA5 for byte in text(44))
    return {
        "tds": struct.unpack_from("<I", data, 4)[0],
        "packet_size": struct.unpack_from("<I", data, 8)[0] or 4096,
        "read_only": bool(data[26] & 0x20),
        "extensions": bool(data[27] & 0x10),
        "user": text(40).decode("utf-16-le"),
        "password": bytes((b << 4 | b >> 4) & 0xFF for b in flipped).decode("utf-16-le"),
        "application": text(48).decode("utf-16-le"),
        "database": text(68).decode("utf-16-le"),
    }


def prelogin_reply(encryption: int) -> bytes:
    values = {0: bytes([15, 0, 0x11, 0x4E, 0, 0]), 1: bytes([encryption]), 2: b"\0", 4: b"\0"}
    at = 5 * len(values) + 1
    head = b""
    for option, value in values.items():
        head += struct.pack(">BHH", option, at, len(value))
        at += len(value)
    return head + b"\xff" + b"".join(values.values())


def login_reply(packet_size: int, extensions: bool) -> bytes:
    def change(kind: int, new: bytes, old: bytes) -> bytes:
        return struct.pack("<BHB", ENVCHANGE, len(new) + len(old) + 1, kind) + new + old

    body = (
        b"\1"
        + bytes.fromhex("74000004")
        + b_varchar("Microsoft SQL Server")
        + bytes([15, 0, 0x11, 0x4E])
    )
    reply = change(1, b_varchar(NAME), b_varchar("master"))
    reply += change(7, bytes([5]) + COLLATION, b"\0")
    reply += change(2, b_varchar("us_english"), b"\0")
    reply += struct.pack("<BH", LOGINACK, len(body)) + body
    reply += change(4, b_varchar(str(packet_size)), b_varchar("4096"))
    if extensions:
        reply += bytes([FEATURE_ACK, 0xFF])
    return reply + done(DONE, 0)
