"""Inputs that once broke some parser, ours or another's; fuzzing starts from them."""

from __future__ import annotations

from tests.payouts.bank_messages import detail, entry, part, statement, status_report, transaction

TEXTS = (
    "",
    "0",
    "-0",
    "1e300000",
    "1_000",
    "٣٤",
    "10000.00",
    "9" * 5_000,
    "2026-10",
    "2026-13",
    "0000-00",
    "2026-10-31T12:00:00Z",
    "9999-12-31T23:59:59-23:59",
    "chm_00000000000000000000000000000000ffffffff",
    "Bearer chm_",
    "=1+1",
    "\ufeff",
    "\x00",
    "a\r\nSet-Cookie: b",
    '#read("/etc/hosts")',
    "<script>alert(1)</script>",
    "{{7*7}}",
    "${jndi}",
    "../../up",
    "Ａｄａ <ada@x.example>",
    "ada <ada@x.example",
    "e\u0301" * 50,
    "\u202eevil",
    "💸" * 100,
)

BYTES = (
    b"",
    b"{}",
    b"[]",
    b'{"a":1,"a":2}',
    b'{"a":NaN}',
    b'{"a":1e999}',
    b'{"a":' + b"[" * 5_000,
    b'{"a":"\\ud800"}',
    b"\xff\xfe{\x00}",
    b"\xef\xbb\xbf{}",
    b'{"a":' + b"9" * 5_000 + b"}",
    b"name,country\r\nAcme,US\r\n",
    b'name,country\n"Acme\n,US',
    b"name;country\nAcme;US",
    b"PK\x03\x04",
    b'{"id":"GO-2022-0213","published":"0001-01-01T00:00:00Z","affected":[]}',
)

_ENTRIES = (
    entry("DBIT", "2000.00", detail("pay-1", amount="1500.00"), detail("pay-2", amount="500.00"), batch="RUN-1-1"),
    entry("CRDT", "1000.00", detail("pay-1", returned="AC04", words="DE89 3704 0044 0532 0130 00")),
)
MESSAGES = (
    statement(*_ENTRIES, closing="4000.00"),
    statement(closing="5000.00", version="001.02"),
    statement(part(opening="1.00", closing="1.00", number="2"), closing="5000.00"),
    status_report("RUN-1", transaction("pay-1", "RJCT", reason="AC04", amount="1.00"), group="PART", payment="ACSC"),
    status_report("RUN-1", group="RJCT", reason="FF01", version="001.03"),
)
"""What a bank sends, to be damaged."""

MARKUP = (
    b"<!DOCTYPE a [<!ENTITY b 'bbbbbbbbbb'>]>",
    b"<!ENTITY % a SYSTEM 'file:///etc/hosts'>",
    b"&b;",
    b"&#0;",
    b"<a>" * 100,
    b"<![CDATA[",
    b"<?xml version='1.1' encoding='utf-16'?>",
    b'Ccy="XXX"',
    b"99999999999999999999.99",
    b"0.00001",
    b"-1.00",
    b"9999-12-31",
    b"\xff\xfe",
)
"""What does not belong into a bank's message."""
