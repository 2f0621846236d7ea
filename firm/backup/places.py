"""Files that appear whole or not at all, and private folders of which none is left behind for ever."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PRIVATE = 0o600
_LOCK = "in-use"


def appear(partial: Path, path: Path) -> None:
    """Give a finished file its name, durably. Raises `FileExistsError`: what is there already stays as it is."""
    with partial.open("rb+") as file:
        os.fsync(file.fileno())
    try:
        os.link(partial, path)
    except FileExistsError:
        raise
    except OSError:
        # No hard links here: take the name first, so that nobody else can, and then put the file in its place.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE))
        partial.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def private_folder(prefix: str, beside: Path) -> Iterator[Path]:
    """A folder that only we can read, gone afterwards. One whose owner was killed goes with the next that is made."""
    _sweep(prefix, beside)
    with (
        tempfile.TemporaryDirectory(prefix=prefix, dir=beside, ignore_cleanup_errors=True) as name,
        (Path(name) / _LOCK).open("w") as lock,
    ):
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield Path(name)


def _sweep(prefix: str, beside: Path) -> None:
    for folder in beside.glob(f"{prefix}*"):
        try:
            with (folder / _LOCK).open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            # Somebody is at work in it, or it is none of ours.
            continue
