"""Text in the characters that every bank of the scheme takes (EPC217-08, the minimum Latin set).

Accents and other marks are dropped (Zoë is Zoe, Müller is Muller), letters of their own are written out (ß is ss,
æ is ae, ł is l), Greek and Cyrillic letters follow the tables of EPC217-08, quotation marks become apostrophes, dashes
hyphens, & a plus, and what has no equivalent becomes a full stop.
"""

from __future__ import annotations

import re
import unicodedata

ABSENT = "NOTPROVIDED"
"""What a bank reads where nothing can be written."""

_OUTSIDE = re.compile(r"[^A-Za-z0-9/\-?:().,'+ ]")
_LETTER = re.compile(r"[A-Za-z]")
_WORDS = {
    "ß": "ss",
    "æ": "ae",
    "œ": "oe",
    "ø": "o",
    "ł": "l",
    "đ": "d",
    "ð": "d",
    "þ": "th",
    "ħ": "h",
    "ı": "i",
    # Greek
    **dict(zip("αβγδεζηικλμνξοπρσςτυφω", "avgdeziiklmnxoprsstyfo", strict=True)),
    "θ": "th",
    "χ": "ch",
    "ψ": "ps",
    # Cyrillic
    **dict(zip("абвгдезийклмнопрстуфхъьыэіј", "abvgdeziyklmnoprstufhayyeij", strict=True)),
    "ж": "zh",
    "ц": "ts",
    "ч": "ch",
    "ш": "sh",
    "щ": "sht",
    "ю": "yu",
    "я": "ya",
    "є": "ye",
    "ї": "yi",
    "ђ": "d",
    "ћ": "c",
    "љ": "lj",
    "њ": "nj",
    "џ": "dz",
}
_MARKS = {"&": "+", "–": "-", "—": "-", "_": "-", "’": "'", "‘": "'", "`": "'", "“": "'", "”": "'", '"': "'", "„": "'"}
_EQUIVALENTS = str.maketrans(
    _MARKS | _WORDS | {letter.upper(): word.capitalize() for letter, word in _WORDS.items() if len(letter.upper()) == 1}
)


def latin(text: str, *, at_most: int) -> str:
    """The text so written, cut to a length; `NOTPROVIDED` where nothing is left of it."""
    plain = _without_marks(unicodedata.normalize("NFC", text).translate(_EQUIVALENTS)).translate(_EQUIVALENTS)
    return _OUTSIDE.sub(".", " ".join(plain.split()))[:at_most].strip() or ABSENT


def is_writable(text: str) -> bool:
    """Whether a bank would know the name when it reads it: there is a letter in it."""
    written = latin(text, at_most=70)
    return written != ABSENT and _LETTER.search(written) is not None


def _without_marks(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
