"""What is shipped for a server of one's own agrees with what the programs do there."""

from __future__ import annotations

import re
from pathlib import Path

from bench.servers import ROOT
from firm.settings import Settings

DEPLOY = ROOT / "deploy"
STATE = Path("/var/lib/chambers")


def shipped() -> dict[str, str]:
    """The settings that the example sets, and not those that it only shows."""
    text = (DEPLOY / "chambers.env.example").read_text(encoding="utf-8")
    return dict(re.findall(r"^([A-Z_]+)=(.*)$", text, re.MULTILINE))


def written() -> list[str]:
    """The settings of files and folders that have a default: where the programs write when nobody says otherwise."""
    fields = Settings.model_fields.items()
    return [f"CHAMBERS_{name.upper()}" for name, field in fields if isinstance(field.default, Path)]


def test_what_is_written_is_put_where_the_units_may_write() -> None:
    found = shipped()
    assert written() == ["CHAMBERS_AUDIT_ANCHORS", "CHAMBERS_PAPERS"]
    assert all(Path(found[name]).is_relative_to(STATE) for name in written())
    assert found["CHAMBERS_DATABASE_URL"] == f"sqlite:///{STATE}/chambers.db"


def test_every_unit_may_write_there_and_nowhere_else() -> None:
    units = sorted(DEPLOY.glob("chambers-*.service"))
    assert len(units) == 3
    for unit in units:
        text = unit.read_text(encoding="utf-8")
        assert re.search(rf"^StateDirectory={STATE.name}( |$)", text, re.MULTILINE), unit.name
        assert "ProtectSystem=strict" in text
        assert "ReadWritePaths" not in text


def test_the_keys_of_the_example_are_for_the_reader_to_make() -> None:
    found = shipped()
    assert found["CHAMBERS_SECRET_KEYS"] == found["CHAMBERS_AUDIT_KEY"] == ""
    readme = (DEPLOY / "README.md").read_text(encoding="utf-8")
    assert "CHAMBERS_SECRET_KEYS" in readme
    assert "CHAMBERS_AUDIT_KEY" in readme
