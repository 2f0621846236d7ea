"""Files that only their owner may read: the books, and what is made from them."""

from __future__ import annotations

import errno
import os
from pathlib import Path

MODE = 0o600


def touch(path: Path) -> None:
    """Make an empty file of the owner's own unless there is one, whatever the umask says."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE))
    except FileExistsError:
        return


def write(path: Path, content: bytes) -> None:
    """Write a file of the owner's own; it appears whole, in place of one that is there, or not at all."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        touch(partial)
        partial.write_bytes(content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
