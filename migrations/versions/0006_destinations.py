"""destinations become proposals that a second person confirms; notices; sealed values change with their key only

Destinations of before were set by one person, without a second: they stay in force, and their rows say so.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from firm.columns import UtcMoment
from migrations.changing import rebuild, require

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

EDGES = {"proposed": ("confirmed", "rejected", "withdrawn", "expired"), "confirmed": ("replaced",)}
NOTICE_EDGES = {"queued": ("sent", "failed", "by-hand"), "failed": ("by-hand",)}

COLUMNS = (
    ("account", sa.String(100)),
    ("contact", sa.String(200)),
    ("state", sa.String(12)),
    ("proposed_by", sa.String(200)),
    ("expires_at", UtcMoment()),
    ("decided_by", sa.String(200)),
    ("decided_at", UtcMoment()),
    ("reason", sa.String(400)),
    ("sole_approval", sa.Boolean()),
    ("usable_from", UtcMoment()),
)
NEEDED = ["contact", "state", "proposed_by", "expires_at", "sole_approval"]
WHO = (
    "COALESCE((SELECT MIN(actor) FROM audit_record WHERE verb = 'destination.set' AND subject = destination.id),"
    " 'before destinations were confirmed')"
)
CHECKS = {
    "ck_destination_state_known": (
        "state IN ('proposed', 'confirmed', 'replaced', 'rejected', 'withdrawn', 'expired')"
    ),
    "ck_destination_decided_whole": (
        "(state = 'proposed') = (decided_by IS NULL) AND (state = 'proposed') = (decided_at IS NULL)"
    ),
    "ck_destination_usable_once_confirmed": (
        "(state IN ('confirmed', 'replaced')) = (usable_from IS NOT NULL)"
        " AND (usable_from IS NULL OR usable_from >= decided_at)"
    ),
    "ck_destination_replaced_whole": "(state = 'replaced') = (replaced_at IS NOT NULL)",
    "ck_destination_confirmed_by_another": (
        "state NOT IN ('confirmed', 'replaced') OR decided_by <> proposed_by OR sole_approval"
    ),
}
WAS = (
    "(id VARCHAR(34) NOT NULL, maintainer_id VARCHAR(34) NOT NULL, rail VARCHAR(20) NOT NULL,"
    " holder VARCHAR(200) NOT NULL, country VARCHAR(2) NOT NULL, iban_sealed TEXT, iban_last4 VARCHAR(4),"
    " bic VARCHAR(11), created_at DATETIME NOT NULL, replaced_at DATETIME,"
    " CONSTRAINT pk_destination PRIMARY KEY (id),"
    " CONSTRAINT ck_destination_iban_whole CHECK ((iban_sealed IS NULL) = (iban_last4 IS NULL)),"
    " CONSTRAINT fk_destination_maintainer_id FOREIGN KEY(maintainer_id) REFERENCES maintainer (id))"
)

ALWAYS = ["id", "maintainer_id", "rail", "holder", "country", "iban_last4", "bic", "created_at"]
ALWAYS += ["account", "contact", "proposed_by", "expires_at"]
DECISION = ["decided_by", "decided_at", "reason", "sole_approval", "usable_from"]
FILE = ["id", "run_id", "rail", "message_id", "sha256", "created_at"]
NOTICE = ["id", "key", "to_address", "template", "figures", "subject", "text", "created_at", "created_by"]
BEFORE_FIXED = ["id", "maintainer_id", "rail", "holder", "country", "iban_sealed", "iban_last4", "bic"]

KEPT = "a destination changes only by a decision, and its sealed number only with its key"
BEGINS = "a destination begins as a proposal"
WRONG_WAY = "a destination may not go there"
DECIDED = "a decision about a destination is made once"
UNUSABLE = "a payout goes to a confirmed destination, once it may be used"
FILE_KEPT = "a file for the bank is never changed; its seal changes only with its key"
NOTICE_KEPT = "rows of notice stay, and end once"
NOTICE_WAY = "a notice may not go there"
UNUSABLE_FOR_NEW = (
    "EXISTS (SELECT 1 FROM payout p JOIN destination d ON d.id = p.destination_id WHERE p.id = NEW.payout_id"
    " AND (d.usable_from IS NULL OR d.usable_from > NEW.started_at))"
)


def upgrade() -> None:
    limit = "CONSTRAINT ck_profile_cooling_off_in_range CHECK (cooling_off_hours BETWEEN 0 AND 720)"
    op.execute(f"ALTER TABLE profile ADD COLUMN cooling_off_hours INTEGER DEFAULT 72 NOT NULL {limit}")
    for statement in _old_guards_gone():
        op.execute(statement)
    _fill_destinations()
    _create_notices()
    for statement in _postgresql() if _is_postgresql() else _sqlite():
        op.execute(statement)


def downgrade() -> None:
    for statement in _new_guards_gone():
        op.execute(statement)
    op.drop_table("notice")
    op.drop_index("uq_destination_pending", "destination")
    op.drop_index("uq_destination_live", "destination")
    op.drop_index("ix_destination_maintainer_id", "destination")
    op.execute("DELETE FROM destination WHERE state NOT IN ('confirmed', 'replaced')")
    if _is_postgresql():
        for name, _ in COLUMNS:
            op.drop_column("destination", name)
    else:
        rebuild("destination", f"CREATE TABLE destination {WAS}")
    _live_index("replaced_at IS NULL")
    for statement in _old_guards():
        op.execute(statement)
    op.drop_column("profile", "cooling_off_hours")


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _fill_destinations() -> None:
    for name, kind in COLUMNS:
        op.add_column("destination", sa.Column(name, kind))
    op.execute(
        "UPDATE destination SET contact = (SELECT email FROM maintainer WHERE maintainer.id = destination.maintainer_id),"
        " state = CASE WHEN replaced_at IS NULL THEN 'confirmed' ELSE 'replaced' END,"
        f" proposed_by = {WHO}, decided_by = {WHO}, expires_at = created_at, decided_at = created_at,"
        " usable_from = created_at, sole_approval = true"
    )
    op.drop_index("uq_destination_live", "destination")
    require("destination", NEEDED, CHECKS)
    _live_index("state = 'confirmed'")
    pending = sa.text("state = 'proposed'")
    op.create_index(
        "uq_destination_pending",
        "destination",
        ["maintainer_id"],
        unique=True,
        sqlite_where=pending,
        postgresql_where=pending,
    )
    op.create_index("ix_destination_maintainer_id", "destination", ["maintainer_id", "id"])


def _live_index(condition: str) -> None:
    live = sa.text(condition)
    op.create_index(
        "uq_destination_live", "destination", ["maintainer_id"], unique=True, sqlite_where=live, postgresql_where=live
    )


def _create_notices() -> None:
    op.create_table(
        "notice",
        sa.Column("id", sa.String(34), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("to_address", sa.String(200), nullable=False),
        sa.Column("template", sa.String(60), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("created_at", UtcMoment(), nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("leased_until", UtcMoment()),
        sa.Column("finished_at", UtcMoment()),
        sa.Column("detail", sa.String(500)),
        sa.Column("given_by", sa.String(200)),
        sa.PrimaryKeyConstraint("id", name="pk_notice"),
        sa.UniqueConstraint("key", name="uq_notice_key"),
        sa.CheckConstraint(
            "state IN ('queued', 'sent', 'failed', 'by-hand')", name=op.f("ck_notice_state_known")
        ),
        sa.CheckConstraint(
            "(state = 'queued') = (finished_at IS NULL)", name=op.f("ck_notice_finished_whole")
        ),
        sa.CheckConstraint("(state = 'by-hand') = (given_by IS NOT NULL)", name=op.f("ck_notice_given_whole")),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_notice_attempts_not_negative")),
    )
    op.create_index("ix_notice_state", "notice", ["state", "id"])


def _wrong_way(edges: dict[str, tuple[str, ...]]) -> str:
    allowed = " OR ".join(
        f"(OLD.state = '{before}' AND NEW.state IN ({', '.join(repr(s) for s in after)}))"
        for before, after in edges.items()
    )
    return f"OLD.state <> NEW.state AND NOT ({allowed})"


def _changed(columns: list[str], differs: str) -> str:
    return "(" + " OR ".join(f"OLD.{column} {differs} NEW.{column}" for column in columns) + ")"


def _not_resealed(column: str, differs: str, key: str) -> str:
    """A sealed value that changed, and not only by being sealed with another key."""
    old, new = key.format(f"OLD.{column}"), key.format(f"NEW.{column}")
    resealed = (
        f"OLD.{column} IS NOT NULL AND NEW.{column} IS NOT NULL AND NEW.{column} LIKE 'v1.%.%' AND {old} <> {new}"
    )
    return f"(OLD.{column} {differs} NEW.{column} AND NOT ({resealed}))"


def _rules(differs: str, key: str) -> list[tuple[str, str, str, str, str]]:
    """Name, event, table, condition on OLD and NEW, and message: the guards that both databases have alike."""
    decided = f"NOT (OLD.state = 'proposed' AND NEW.state <> 'proposed') AND {_changed(DECISION, differs)}"
    over = f"OLD.state = NEW.state AND OLD.replaced_at {differs} NEW.replaced_at"
    kept = f"{_changed(ALWAYS, differs)} OR {_not_resealed('iban_sealed', differs, key)}"
    file_kept = f"{_changed(FILE, differs)} OR {_not_resealed('content_sealed', differs, key)}"
    return [
        ("destination_begins", "BEFORE INSERT", "destination", "NEW.state <> 'proposed'", BEGINS),
        ("destination_fixed", "BEFORE UPDATE", "destination", kept, KEPT),
        ("destination_edges", "BEFORE UPDATE", "destination", _wrong_way(EDGES), WRONG_WAY),
        ("destination_decided_once", "BEFORE UPDATE", "destination", f"{decided} OR {over}", DECIDED),
        ("rail_file_fixed", "BEFORE UPDATE", "rail_file", file_kept, FILE_KEPT),
        (
            "notice_fixed",
            "BEFORE UPDATE",
            "notice",
            f"OLD.state IN ('sent', 'by-hand') OR {_changed(NOTICE, differs)}",
            NOTICE_KEPT,
        ),
        ("notice_edges", "BEFORE UPDATE", "notice", _wrong_way(NOTICE_EDGES), NOTICE_WAY),
    ]


def _sqlite() -> list[str]:
    rules = _rules("IS NOT", "substr({0}, 4, instr(substr({0}, 4), '.') - 1)")
    exists = "EXISTS (SELECT 1 FROM notice WHERE id = NEW.id OR key = NEW.key OR rowid = NEW.rowid)"
    return [
        *(_refuse(name, f"{event} ON {table}", condition, said) for name, event, table, condition, said in rules),
        _refuse("notice_no_delete", "BEFORE DELETE ON notice", "1", NOTICE_KEPT),
        _refuse("notice_no_replace", "BEFORE INSERT ON notice", exists, NOTICE_KEPT),
        _refuse("payout_attempt_destination", "BEFORE INSERT ON payout_attempt", UNUSABLE_FOR_NEW, UNUSABLE),
    ]


def _refuse(name: str, when: str, condition: str, message: str) -> str:
    return (
        f"CREATE TRIGGER guard_{name} {when} FOR EACH ROW WHEN {condition}"
        f" BEGIN SELECT RAISE(ABORT, '{message}'); END"
    )


def _postgresql() -> list[str]:
    raising = "RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'CH002';"
    return [
        f"CREATE FUNCTION guard_say() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {raising} END;$$",
        "CREATE FUNCTION guard_attempt_destination() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$BEGIN IF {UNUSABLE_FOR_NEW} THEN RAISE EXCEPTION '{UNUSABLE}' USING ERRCODE = 'CH002'; END IF;"
        " RETURN NEW; END;$$",
        *(
            f"CREATE TRIGGER guard_{name} {event} ON {table} FOR EACH ROW WHEN ({condition})"
            f" EXECUTE FUNCTION guard_say('{said}')"
            for name, event, table, condition, said in _rules("IS DISTINCT FROM", "split_part({0}, '.', 2)")
        ),
        "CREATE TRIGGER guard_rail_file_kept BEFORE DELETE OR TRUNCATE ON rail_file FOR EACH STATEMENT"
        " EXECUTE FUNCTION guard_refuse()",
        "CREATE TRIGGER guard_notice_kept BEFORE DELETE OR TRUNCATE ON notice FOR EACH STATEMENT"
        " EXECUTE FUNCTION guard_refuse()",
        "CREATE TRIGGER guard_payout_attempt_destination BEFORE INSERT ON payout_attempt FOR EACH ROW"
        " EXECUTE FUNCTION guard_attempt_destination()",
    ]


def _old_guards_gone() -> list[str]:
    if _is_postgresql():
        return [
            "DROP TRIGGER guard_destination_fixed ON destination",
            "DROP TRIGGER guard_rail_file_append_only ON rail_file",
        ]
    return ["DROP TRIGGER guard_destination_fixed", "DROP TRIGGER guard_rail_file_no_update"]


def _new_guards_gone() -> list[str]:
    if _is_postgresql():
        return [
            "DROP FUNCTION guard_say() CASCADE",
            "DROP FUNCTION guard_attempt_destination() CASCADE",
            # This one is of an earlier revision; the rows that it keeps have no place in the schema before.
            "DROP TRIGGER guard_destination_kept ON destination",
            "DROP TRIGGER guard_rail_file_kept ON rail_file",
        ]
    names = [name for name, *_ in _rules("IS NOT", "{0}")]
    names += ["notice_no_delete", "notice_no_replace", "payout_attempt_destination", "destination_no_delete"]
    return [f"DROP TRIGGER guard_{name}" for name in names]


def _old_guards() -> list[str]:
    if _is_postgresql():
        return [
            "CREATE TRIGGER guard_destination_fixed BEFORE UPDATE ON destination FOR EACH ROW"
            f" WHEN {_changed(BEFORE_FIXED, 'IS DISTINCT FROM')} EXECUTE FUNCTION guard_refuse()",
            "CREATE TRIGGER guard_destination_kept BEFORE DELETE OR TRUNCATE ON destination FOR EACH STATEMENT"
            " EXECUTE FUNCTION guard_refuse()",
            "CREATE TRIGGER guard_rail_file_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON rail_file"
            " FOR EACH STATEMENT EXECUTE FUNCTION guard_refuse()",
        ]
    return [
        _refuse(
            "destination_fixed",
            "BEFORE UPDATE ON destination",
            _changed(BEFORE_FIXED, "IS NOT"),
            "rows of destination change only in replaced_at",
        ),
        _refuse(
            "destination_no_delete", "BEFORE DELETE ON destination", "1", "rows of destination are never deleted"
        ),
        _refuse(
            "rail_file_no_update", "BEFORE UPDATE ON rail_file", "1", "rows of rail_file are never changed or deleted"
        ),
    ]
