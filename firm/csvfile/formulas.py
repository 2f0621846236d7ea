"""Text that a spreadsheet would run as a formula, and the apostrophe that stops it."""

from __future__ import annotations

import re

APOSTROPHE = "'"

# Spreadsheets look past white space, and East Asian versions take the wide signs too. Apostrophes in front count as
# well: without that, `'=1` as a text of its own could not be told from the guarded `=1` when it is read back.
_DANGEROUS = re.compile(r"'*[\s\u200b\ufeff]*[=+\-@\t\r\n\x00\uff1d\uff0b\uff0d\uff20]")


def guarded(text: str) -> str:
    """The text as a cell shows it without running it. `unguarded` restores it."""
    return APOSTROPHE + text if _DANGEROUS.match(text) else text


def unguarded(cell: str) -> str:
    """What was guarded; other text stays as it is, apostrophes included."""
    return cell[1:] if cell.startswith(APOSTROPHE) and _DANGEROUS.match(cell[1:]) else cell
