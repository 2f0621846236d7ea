"""From bytes to a message of a kind and version that we know."""

from __future__ import annotations

from payouts.bank_files import camt053, pain002
from payouts.bank_files.markup import InvalidBankFile, parse
from payouts.bank_files.messages import Statement, StatusReport


def read(raw: bytes) -> StatusReport | Statement:
    """Raises `InvalidBankFile`."""
    kind, version, root = parse(raw)
    if kind == "pain.002" and version in pain002.VERSIONS:
        return pain002.read(root, version)
    if kind == "camt.053" and version in camt053.VERSIONS:
        return camt053.read(root, version)
    raise InvalidBankFile(
        f"The file is a {kind}.{version}; ask the bank for pain.002.{' or .'.join(pain002.VERSIONS)}, or"
        f" camt.053.{' or .'.join(camt053.VERSIONS)}."
    )
