"""The XML of a bank's file, read so that no file can do harm: no DTD, no entity, bounded in bytes, parts and depth.

A node's names lose the namespace of the message; what stands in another namespace is never looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml import DefusedXmlException, DTDForbidden
from defusedxml.ElementTree import DefusedXMLParser

from firm.errors import Invalid
from firm.money import Money
from payouts.bank_files.discretion import clean

MOST_BYTES = 10_000_000
MOST_PARTS = 500_000
MOST_DEPTH = 60
_NAMESPACE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:([a-z]{4}\.[0-9]{3})\.([0-9]{3}\.[0-9]{2})")
_AMOUNT = re.compile(r"([0-9]{1,16})(?:\.([0-9]{1,5}))?", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


class InvalidBankFile(Invalid):
    """A file that no bank sends, or one that does not add up; the sentence says where."""


def parse(raw: bytes) -> tuple[str, str, Element]:
    """The kind, the version and the root of a message. Raises `InvalidBankFile`."""
    if len(raw) > MOST_BYTES:
        raise InvalidBankFile(f"The file is larger than {MOST_BYTES // 1_000_000} MB; ask the bank for single days.")
    builder = _Builder()
    try:
        parser = DefusedXMLParser(target=builder, forbid_dtd=True)
        parser.feed(raw)
        root = parser.close()
    except DTDForbidden:
        raise InvalidBankFile("The file declares a document type, as no bank's does; it is not read.") from None
    except DefusedXmlException:
        raise InvalidBankFile("The file declares entities, as no bank's does; it is not read.") from None
    except (ParseError, ValueError, LookupError):
        raise InvalidBankFile("The file is not well-formed XML; take it from the bank again, unchanged.") from None
    found = _NAMESPACE.fullmatch(builder.namespace)
    if found is None or root.tag != "Document":
        raise InvalidBankFile("The file is no ISO 20022 message; give a pain.002 or a camt.053 as the bank sends it.")
    return found[1], found[2], root


def all_of(node: Element, path: str) -> Iterator[Element]:
    """The nodes at a path of names."""
    return node.iterfind(path)


def text_of(node: Element, path: str, *, most: int = 140) -> str:
    """The first text at a path as it may be kept; empty where there is none."""
    return clean(node.findtext(path) or "", most=most)


def id_of(node: Element, path: str) -> str:
    """An id to compare with our own; what is not ours is not kept."""
    return (node.findtext(path) or "").strip()[:35]


def required(node: Element, path: str, what: str, *, most: int = 35) -> str:
    """Raises `InvalidBankFile` where there is no such text."""
    found = text_of(node, path, most=most)
    if not found:
        raise InvalidBankFile(f"The file lacks {what} ({path}); take it from the bank again, unchanged.")
    return found


def money_of(node: Element) -> Money:
    """The amount of a node with its currency. Raises `InvalidBankFile`."""
    currency, found = node.get("Ccy", ""), _AMOUNT.fullmatch((node.text or "").strip())
    if found is None or _CURRENCY.fullmatch(currency) is None:
        raise InvalidBankFile("The file holds an amount that is none; take it from the bank again, unchanged.")
    # The schema allows five decimal digits whatever the currency: what is zero beyond its own means nothing.
    fraction = (found[2] or "").rstrip("0")
    try:
        return Money.parse(f"{found[1]}.{fraction}" if fraction else found[1], currency)
    except Invalid as error:
        raise InvalidBankFile(f"The file holds an amount that is none: {error.message}") from None


def day_of(node: Element | None) -> date | None:
    """The day of a node that holds one (`Dt` or `DtTm`), or None. Raises `InvalidBankFile`."""
    if node is None:
        return None
    text = (node.findtext("Dt") or node.findtext("DtTm") or node.text or "").strip()
    try:
        found = date.fromisoformat(text[:10])
    except ValueError:
        raise InvalidBankFile("The file holds a day that is none; take it from the bank again, unchanged.") from None
    if not 2000 <= found.year <= 2199:
        raise InvalidBankFile(f"The file holds a day of the year {found.year}; ask the bank what it means.")
    return found


class _Builder(TreeBuilder):
    """Builds the tree while it stays within bounds."""

    def __init__(self) -> None:
        super().__init__()
        self.namespace = ""
        self._parts = self._depth = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        self._parts += 1
        self._depth += 1
        if self._parts > MOST_PARTS or self._depth > MOST_DEPTH:
            raise InvalidBankFile("The file has more parts than any statement; ask the bank for single days.")
        if self._parts == 1:
            self.namespace = tag[1:].partition("}")[0] if tag.startswith("{") else ""
        return super().start(self._name(tag), attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(self._name(tag))

    def _name(self, tag: str) -> str:
        return tag.removeprefix(f"{{{self.namespace}}}")
