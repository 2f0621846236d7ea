"""What the tests of backups share: making one, restoring it elsewhere, and asking the books there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyrage
from sqlalchemy import inspect
from sqlalchemy.engine import make_url

from api.app import create_core
from api.parts import parts
from api.verification import findings
from firm.audit import sequencer
from firm.backup import making, restoring
from firm.backup.form import Header
from firm.db import db, reading
from firm.ledger import queries as ledger
from migrations import run
from tests.databases import settings_for
from tests.lovelace import AFTER, LEAD
from tests.postgres import programs

RESTORED = AFTER + timedelta(hours=3)


KEY = pyrage.x25519.Identity.generate()


def back_up(path: Path, *, plain: bool = False) -> Header:
    return making.make(
        path,
        url=make_url(parts().settings.database_url),
        schema=str(run.head()),
        recipients=() if plain else [str(KEY.to_public())],
        programs=programs(),
        by=LEAD,
        now=AFTER,
    )


def restore(path: Path, url: str, identity: Path | None = None) -> Header:
    header, begun = restoring.restore(
        path,
        url=make_url(url),
        identity=identity,
        refuse_unknown=lambda schema: None,
        programs=programs(),
        now=RESTORED,
    )
    with_books(url, lambda: restoring.put_on_record(header, begun, by=LEAD, now=RESTORED))
    return header


def with_books(url: str, work: Callable[[], Any], **settings: Any) -> Any:
    with create_core(settings_for(url).model_copy(update=settings)).app_context():
        try:
            return work()
        finally:
            db.session.remove()
            db.engine.dispose()


def is_empty(url: str) -> bool:
    if url.startswith("sqlite"):
        path = Path(str(make_url(url).database))
        return not path.exists() and not (path.parent.exists() and list(path.parent.iterdir()))
    return bool(with_books(url, lambda: not inspect(db.engine).get_table_names()))


def broken(**settings: Any) -> list[str]:
    sequencer.run(now=RESTORED)
    return [found.invariant.name for found in findings(now=RESTORED) if not found.holds]


def number_of_entries() -> int:
    with reading() as session:
        return ledger.number_of_entries(session)
