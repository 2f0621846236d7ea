"""Two leads at the same moment: the firm is never left without one."""

from __future__ import annotations

import time
from typing import Any

import pytest
from flask import Flask

from firm.access import principals, tokens
from firm.actor import Role
from tests.firm import books
from tests.lovelace import AFTER, BEFORE, LEAD


def test_of_two_leads_who_demote_each_other_one_stays(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ada", "grace"):
        tokens.issue_token(name=name, role=Role.LEAD, by=LEAD, now=BEFORE)
    record = principals.audit.record

    def slowly(*args: Any, **facts: Any) -> None:
        record(*args, **facts)
        time.sleep(0.3)

    monkeypatch.setattr(principals.audit, "record", slowly)

    def demote(name: str) -> None:
        principals.change(name, role=Role.AUDITOR, by=LEAD, now=AFTER)

    found = books.together(app, lambda: demote("ada"), lambda: demote("grace"))
    assert sorted(type(one).__name__ for one in found) == ["LastLead", "NoneType"]
