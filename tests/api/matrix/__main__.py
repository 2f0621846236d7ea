"""Print the matrix as it is now, to be compared with the reviewed one and kept when it is right."""

from __future__ import annotations

import tempfile

import time_machine

from api.app import create_app
from firm.db import db
from migrations import run
from tests import lovelace
from tests.api.matrix import cells
from tests.api.matrix.test_matrix import found
from tests.databases import settings_for

with tempfile.TemporaryDirectory() as folder, time_machine.travel(lovelace.AFTER.replace(day=20), tick=False):
    app = create_app(settings_for(f"sqlite:///{folder}/matrix.db"))
    with app.app_context():
        run.upgrade(db.engine)
    cells.set_up(app)
    print("\n".join(found(app)))
