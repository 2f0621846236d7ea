"""Ecosystems, by the names that OSV records and people give them.

OSV has a list of them, such as `Go` and `crates.io`: https://ossf.github.io/osv-schema/#defined-ecosystems. People
write a package's ecosystem freely, and often the language or the tool for the one place its packages come from.
"""

from __future__ import annotations

_OTHER_NAMES = {
    "golang": "go",
    "python": "pypi",
    "pip": "pypi",
    "javascript": "npm",
    "typescript": "npm",
    "node": "npm",
    "node.js": "npm",
    "nodejs": "npm",
    "rust": "crates.io",
    "cargo": "crates.io",
    "crates": "crates.io",
    "ruby": "rubygems",
    "gem": "rubygems",
    "php": "packagist",
    "composer": "packagist",
    "java": "maven",
    ".net": "nuget",
    "dotnet": "nuget",
    "elixir": "hex",
    "erlang": "hex",
    "dart": "pub",
    "haskell": "hackage",
}


def same(one: str, other: str) -> bool:
    """Whether two names mean one ecosystem. A name that is not there means none."""
    return bool(_plain(one)) and _plain(one) == _plain(other)


def _plain(name: str) -> str:
    """Without what follows a colon, which is a release of the ecosystem, as in `Debian:12`."""
    word = name.partition(":")[0].strip().casefold()
    return _OTHER_NAMES.get(word, word)
