"""What a backup or a restore is refused with."""

from __future__ import annotations

from firm.errors import Invalid, Refused


class InvalidBackup(Invalid):
    """A file that is no backup of ours, is cut short or damaged, or cannot be opened with this identity."""


class InvalidRecipient(Invalid):
    """A key that no backup can be encrypted to."""


class BackupFailed(Refused):
    """The database's own program, or the disk, gave up; the sentence says what it said."""


class BooksAreThere(Refused):
    """Books are there already: a backup is restored beside them, never over them."""
