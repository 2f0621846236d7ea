"""What a package's name, repository and folder may look like."""

from __future__ import annotations

import re

from firm.errors import Invalid
from firm.particulars import checked_line, checked_name

_REPOSITORY = re.compile(r"(?:https?|git)://[^\s/@:?#\\]+(?::[0-9]{1,5})?(?:/[^\s?#\\]*)?", re.IGNORECASE | re.ASCII)


class InvalidPackage(Invalid):
    """A package that cannot be called so, or cannot live there."""


def checked_package(name: str) -> str:
    """A name such as `golang.org/x/crypto/ssh`. Raises `InvalidPackage`, `InvalidParticulars`."""
    name = checked_name(name)
    if _steps_out(name):
        raise InvalidPackage(
            "A package's name holds no part `..` or `.`, and does not begin with a slash.", field="name"
        )
    return name


def checked_repository(address: str) -> str:
    """A public address that git clones from, or nothing. Raises `InvalidPackage`."""
    address = checked_line(address, field="repository")
    if address and (_REPOSITORY.fullmatch(address) is None or _steps_out(address.partition("://")[2])):
        raise InvalidPackage(
            "Write the repository's public address, such as https://example.org/crypto.git: https, http or git,"
            " without a name and password in it.",
            field="repository",
        )
    return address


def checked_folder(folder: str) -> str:
    """A folder inside its repository, without slashes around it; empty for all of it. Raises `InvalidPackage`."""
    folder = checked_line(folder, field="folder").strip("/")
    if _steps_out(folder) or "\\" in folder:
        raise InvalidPackage("Write the folder as it lies inside the repository, such as ssh/agent.", field="folder")
    return folder


def _steps_out(path: str) -> bool:
    return path.startswith("/") or any(part in ("..", ".") for part in path.split("/"))
