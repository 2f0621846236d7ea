"""Text that a spreadsheet would run as a formula, and the apostrophe that stops it."""

from __future__ import annotations

import re

APOSTROPHE = "'"

# Spreadsheets look past white space, and East Asian versions take the wide signs too. Apostrophes in front count as
# well: without that, `'=1` as a text of its own could not be told from the guarded `=1` when it is read back.
_DANGEROUS = re.compile(r"'*[\s\u200b\ufeff]*[=+\-@\t\r\n\x00\uff1d\uff0b\uff0d\uff20]")

# A name may begin with a sign, as `@babel/core` does; with a parenthesis behind it, it calls something.
_FORMULA = re.compile(r"\s*(?:[=\uff1d]|[+\-@\uff0b\uff0d\uff20][^\r\n(]*\()")
_FAILED = re.compile(r"#(?:REF!|N/A|NAME\?|VALUE!|DIV/0!|NUM!|NULL!)")


def guarded(text: str) -> str:
    """The text as a cell shows it without running it. `unguarded` restores it."""
    return APOSTROPHE + text if _DANGEROUS.match(text) else text


def unguarded(cell: str) -> str:
    """What was guarded; other text stays as it is, apostrophes included."""
    return cell[1:] if cell.startswith(APOSTROPHE) and _DANGEROUS.match(cell[1:]) else cell


def fault_of(cell: str) -> str:
    """What is wrong with a cell as it stands in a file, if it is a formula or what became of one; "" otherwise."""
    if _FORMULA.match(cell):
        return "It looks like a formula; write its result, or an apostrophe (') before it if it is text."
    if _FAILED.match(cell):
        return "A spreadsheet's formula failed here; write the value it should have had."
    return ""
