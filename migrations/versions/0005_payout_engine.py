"""payouts that are held, carried over or wait for funds; approvals as rows; frozen requests; reversals; the policy

Every approval is a row now, and the database counts them before a run is approved. What an attempt asks for is frozen
with its key, so that a later try cannot ask for anything else under it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from firm.columns import UtcMoment
from migrations.changing import replace_check

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

LIMIT = 1000000000000000
STATES_BEFORE = "planned reserved sending unknown sent settled refused returned canceled"
STATES = (
    "planned held carried-over reserved sending waiting-for-funds unknown sent settled refused returned canceled"
)
LIVE_BEFORE, LIVE = "planned reserved sending unknown", "planned reserved sending waiting-for-funds unknown"

PAYOUT_EDGES_BEFORE = {
    "planned": ["reserved", "canceled"],
    "reserved": ["sending"],
    "sending": ["sent", "refused", "unknown"],
    "unknown": ["sent", "refused"],
    "sent": ["settled", "returned"],
    "settled": ["returned"],
}
PAYOUT_EDGES = {
    "planned": ["reserved", "canceled", "held"],
    "held": ["planned", "canceled"],
    "reserved": ["sending", "canceled"],
    "sending": ["sent", "refused", "unknown", "waiting-for-funds"],
    "waiting-for-funds": ["sending", "canceled"],
    "unknown": ["sent", "refused"],
    "sent": ["settled", "returned"],
    "settled": ["returned"],
}
RUN_EDGES_BEFORE = {
    "draft": ["proposed", "canceled"],
    "proposed": ["approved", "canceled"],
    "approved": ["releasing"],
    "releasing": ["settled", "partly-settled"],
    "settled": ["partly-settled"],
}
RUN_EDGES = {
    "draft": ["proposed", "canceled"],
    "proposed": ["approved", "canceled", "draft"],
    "approved": ["releasing", "partly-settled"],
    "releasing": ["settled", "partly-settled"],
    "settled": ["partly-settled"],
}
ATTEMPT_FIXED_BEFORE = ["id", "payout_id", "number", "key", "request_digest", "started_at"]
ATTEMPT_FIXED = [*ATTEMPT_FIXED_BEFORE, "request"]
ATTEMPT_CHANGES_BEFORE = "state, leased_until, finished_at, detail"
ATTEMPT_CHANGES = f"{ATTEMPT_CHANGES_BEFORE}, clean_looks, looked_at"

APPROVAL_FIXED = ["id", "run_id", "approved_by", "approved_at", "digest", "sole"]
APPEND_ONLY = {"payout_policy": [["id"]], "payout_reversal": [["id"], ["reference"]]}

WAY = "a payout may not go there"
RUN_WAY = "a run may not go there"
INTO_DRAFT = "payouts are added to a draft, planned"
FIRST = "payouts are added to a draft, planned, held or carried over"
DIGEST = "what was proposed is what is approved"
COUNTED = "a run is approved once enough people have approved what it holds"
UNAPPROVED = "nothing is sent from a run that is not approved"
BY_ANOTHER = "whoever prepared a run does not approve it, and an approval is of what was proposed"
VOIDED = "an approval stays as it is, and is voided once"


def upgrade() -> None:
    _add_columns()
    _create_tables()
    _change_states(STATES_BEFORE, STATES, LIVE)
    op.execute(
        "INSERT INTO payout_approval (id, run_id, approved_by, approved_at, digest, sole)"
        " SELECT 'apr' || substr(id, 4), id, approved_by, approved_at, digest, sole_approval"
        " FROM payout_run WHERE approved_by IS NOT NULL"
    )
    for statement in _postgresql() if _is_postgresql() else _sqlite():
        op.execute(statement)


def downgrade() -> None:
    for statement in _postgresql_down() if _is_postgresql() else _sqlite_down():
        op.execute(statement)
    _change_states(STATES, STATES_BEFORE, LIVE_BEFORE)
    for table in ("payout_reversal", "payout_policy", "payout_approval"):
        op.drop_table(table)
    op.drop_column("payout", "paid_from")
    for column in ("looked_at", "clean_looks", "request"):
        op.drop_column("payout_attempt", column)
    op.drop_column("payout_run", "approvals_needed")


def _add_columns() -> None:
    op.add_column("payout_run", sa.Column("approvals_needed", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("payout_attempt", sa.Column("request", sa.Text(), nullable=False, server_default="{}"))
    op.add_column("payout_attempt", sa.Column("clean_looks", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("payout_attempt", sa.Column("looked_at", UtcMoment()))
    op.add_column("payout", sa.Column("paid_from", sa.String(100)))
    op.execute("UPDATE payout SET paid_from = 'assets:bank' WHERE settled_on IS NOT NULL")


def _create_tables() -> None:
    op.create_table(
        "payout_approval",
        sa.Column("id", sa.String(34), nullable=False),
        sa.Column("run_id", sa.String(34), nullable=False),
        sa.Column("approved_by", sa.String(200), nullable=False),
        sa.Column("approved_at", UtcMoment(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("sole", sa.Boolean(), nullable=False),
        sa.Column("voided_at", UtcMoment()),
        sa.Column("void_reason", sa.String(500)),
        sa.PrimaryKeyConstraint("id", name="pk_payout_approval"),
        sa.ForeignKeyConstraint(["run_id"], ["payout_run.id"], name="fk_payout_approval_run_id"),
        sa.CheckConstraint(
            "(voided_at IS NULL) = (void_reason IS NULL)", name=op.f("ck_payout_approval_void_whole")
        ),
    )
    valid = sa.text("voided_at IS NULL")
    op.create_index(
        "uq_payout_approval_valid",
        "payout_approval",
        ["run_id", "approved_by"],
        unique=True,
        sqlite_where=valid,
        postgresql_where=valid,
    )
    op.create_table(
        "payout_policy",
        sa.Column("id", sa.String(34), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("minimum_minor", sa.BigInteger(), nullable=False),
        sa.Column("approvals", sa.Integer(), nullable=False),
        sa.Column("large_above_minor", sa.BigInteger()),
        sa.Column("approvals_when_large", sa.Integer(), nullable=False),
        sa.Column("window_days", sa.Integer(), nullable=False),
        sa.Column("set_by", sa.String(200), nullable=False),
        sa.Column("set_at", UtcMoment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_payout_policy"),
        _whole("payout_policy", "minimum_minor", 0),
        _whole("payout_policy", "large_above_minor", 0),
        sa.CheckConstraint("approvals >= 1 AND approvals <= 9", name=op.f("ck_payout_policy_approvals_sensible")),
        sa.CheckConstraint(
            "approvals_when_large >= approvals AND approvals_when_large <= 9",
            name=op.f("ck_payout_policy_approvals_when_large_sensible"),
        ),
        sa.CheckConstraint(
            "window_days >= 1 AND window_days <= 366", name=op.f("ck_payout_policy_window_sensible")
        ),
    )
    op.create_index("ix_payout_policy_currency", "payout_policy", ["currency"])
    op.create_table(
        "payout_reversal",
        sa.Column("id", sa.String(34), nullable=False),
        sa.Column("payout_id", sa.String(34), nullable=False),
        sa.Column("reference", sa.String(100), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("reversed_on", sa.Date(), nullable=False),
        sa.Column("created_at", UtcMoment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_payout_reversal"),
        sa.ForeignKeyConstraint(["payout_id"], ["payout.id"], name="fk_payout_reversal_payout_id"),
        sa.UniqueConstraint("reference", name="uq_payout_reversal_reference"),
        _whole("payout_reversal", "amount_minor", 1),
    )
    op.create_index("ix_payout_reversal_payout_id", "payout_reversal", ["payout_id"])


def _whole(table: str, column: str, least: int) -> sa.CheckConstraint:
    return sa.CheckConstraint(
        f"{column} = CAST({column} AS BIGINT) AND {column} BETWEEN {least} AND {LIMIT}",
        name=op.f(f"ck_{table}_{column}_whole"),
    )


def _change_states(before: str, after: str, live: str) -> None:
    op.drop_index("uq_payout_live", "payout")
    replace_check("payout", "ck_payout_state_known", _in("state", before), _in("state", after))
    where = sa.text(_in("state", live))
    op.create_index(
        "uq_payout_live",
        "payout",
        ["maintainer_id", "currency"],
        unique=True,
        sqlite_where=where,
        postgresql_where=where,
    )


def _in(column: str, words: str) -> str:
    return f"{column} IN ({', '.join(repr(word) for word in words.split())})"


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _forbidden(edges: dict[str, list[str]]) -> str:
    allowed = " OR ".join(
        f"(OLD.state = '{before}' AND NEW.state IN ({', '.join(repr(s) for s in after)}))"
        for before, after in edges.items()
    )
    return f"OLD.state <> NEW.state AND NOT ({allowed})"


_DIGEST_CHANGED = "OLD.state <> 'draft' AND NOT (OLD.state = 'proposed' AND NEW.state = 'draft')"
_TOO_FEW = (
    "NEW.state = 'approved' AND OLD.state <> 'approved' AND NEW.approvals_needed > (SELECT COUNT(DISTINCT approved_by)"
    " FROM payout_approval WHERE run_id = NEW.id AND voided_at IS NULL AND digest = NEW.digest)"
)
_NOT_APPROVED = (
    "NEW.state = 'sending' AND OLD.state <> 'sending' AND EXISTS (SELECT 1 FROM payout_run"
    " WHERE id = NEW.run_id AND state IN ('draft', 'proposed', 'canceled'))"
)
_NOT_BY_ANOTHER = (
    "NOT EXISTS (SELECT 1 FROM payout_run WHERE id = NEW.run_id AND digest = NEW.digest"
    " AND (NEW.sole OR (prepared_by <> NEW.approved_by AND COALESCE(proposed_by, '') <> NEW.approved_by)))"
)


# SQLite.


def _refuse(name: str, when: str, condition: str, message: str) -> str:
    return (
        f"CREATE TRIGGER guard_{name} {when} FOR EACH ROW WHEN {condition}"
        f" BEGIN SELECT RAISE(ABORT, '{message}'); END"
    )


def _changed(columns: list[str]) -> str:
    return " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in columns)


def _attempt_fixed(columns: list[str], changes: str) -> str:
    message = f"rows of payout_attempt change only in {changes}"
    return _refuse("payout_attempt_fixed", "BEFORE UPDATE ON payout_attempt", _changed(columns), message)


def _into_draft(states: list[str], message: str) -> str:
    condition = (
        f"NEW.state NOT IN ({', '.join(repr(state) for state in states)}) OR NOT EXISTS"
        " (SELECT 1 FROM payout_run WHERE id = NEW.run_id AND state = 'draft')"
    )
    return _refuse("payout_only_into_draft", "BEFORE INSERT ON payout", condition, message)


def _first_into_draft() -> str:
    return _refuse(
        "payout_only_into_draft",
        "BEFORE INSERT ON payout",
        "NEW.state <> 'planned' OR NOT EXISTS (SELECT 1 FROM payout_run WHERE id = NEW.run_id AND state = 'draft')",
        INTO_DRAFT,
    )


def _sqlite() -> list[str]:
    replaced = ("payout_edges", "payout_run_edges", "payout_run_digest_fixed", "payout_only_into_draft")
    statements = [f"DROP TRIGGER guard_{name}" for name in (*replaced, "payout_attempt_fixed")]
    statements += [
        _refuse("payout_edges", "BEFORE UPDATE ON payout", _forbidden(PAYOUT_EDGES), WAY),
        _refuse("payout_run_edges", "BEFORE UPDATE ON payout_run", _forbidden(RUN_EDGES), RUN_WAY),
        _refuse(
            "payout_run_digest_fixed",
            "BEFORE UPDATE ON payout_run",
            f"{_DIGEST_CHANGED} AND OLD.digest IS NOT NEW.digest",
            DIGEST,
        ),
        _into_draft(["planned", "held", "carried-over"], FIRST),
        _attempt_fixed(ATTEMPT_FIXED, ATTEMPT_CHANGES),
        _refuse("payout_run_counted", "BEFORE UPDATE ON payout_run", _TOO_FEW, COUNTED),
        _refuse("payout_of_approved_run", "BEFORE UPDATE ON payout", _NOT_APPROVED, UNAPPROVED),
        _refuse("payout_approval_by_another", "BEFORE INSERT ON payout_approval", _NOT_BY_ANOTHER, BY_ANOTHER),
        _refuse(
            "payout_approval_fixed",
            "BEFORE UPDATE ON payout_approval",
            f"OLD.voided_at IS NOT NULL OR {_changed(APPROVAL_FIXED)}",
            VOIDED,
        ),
        _refuse("payout_approval_no_delete", "BEFORE DELETE ON payout_approval", "1", VOIDED),
        _no_replace("payout_approval", [["id"]]),
    ]
    for table, keys in APPEND_ONLY.items():
        message = f"rows of {table} are never changed or deleted"
        statements += [
            _refuse(f"{table}_no_update", f"BEFORE UPDATE ON {table}", "1", message),
            _refuse(f"{table}_no_delete", f"BEFORE DELETE ON {table}", "1", message),
            _no_replace(table, keys),
        ]
    return statements


def _no_replace(table: str, keys: list[list[str]]) -> str:
    same = [" AND ".join(f"{column} = NEW.{column}" for column in key) for key in keys]
    exists = " OR ".join(f"EXISTS (SELECT 1 FROM {table} WHERE {one})" for one in [*same, "rowid = NEW.rowid"])
    return _refuse(f"{table}_no_replace", f"BEFORE INSERT ON {table}", exists, f"the row of {table} exists")


def _sqlite_down() -> list[str]:
    names = (
        "payout_edges payout_run_edges payout_run_digest_fixed payout_only_into_draft payout_attempt_fixed"
        " payout_run_counted payout_of_approved_run"
    )
    return [
        *(f"DROP TRIGGER guard_{name}" for name in names.split()),
        _refuse("payout_edges", "BEFORE UPDATE ON payout", _forbidden(PAYOUT_EDGES_BEFORE), WAY),
        _refuse("payout_run_edges", "BEFORE UPDATE ON payout_run", _forbidden(RUN_EDGES_BEFORE), RUN_WAY),
        _refuse(
            "payout_run_digest_fixed",
            "BEFORE UPDATE ON payout_run",
            "OLD.state <> 'draft' AND OLD.digest IS NOT NEW.digest",
            DIGEST,
        ),
        _first_into_draft(),
        _attempt_fixed(ATTEMPT_FIXED_BEFORE, ATTEMPT_CHANGES_BEFORE),
    ]


# PostgreSQL.


def _raise(message: str) -> str:
    return f"RAISE EXCEPTION '{message}' USING ERRCODE = 'CH002';"


def _when(condition: str, message: str) -> str:
    return f"IF {condition} THEN {_raise(message)} END IF;"


def _function(name: str, body: str, *, replace: bool = False) -> str:
    create = "CREATE OR REPLACE" if replace else "CREATE"
    return f"{create} FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {body} END;$$"


def _added(condition: str, message: str) -> str:
    refused = (
        "EXISTS (SELECT 1 FROM added a LEFT JOIN payout_run r ON r.id = a.run_id"
        f" WHERE {condition} OR r.state IS DISTINCT FROM 'draft')"
    )
    return _function("guard_payout_insert", f"{_when(refused, message)} RETURN NULL;", replace=True)


def _edges(payouts: dict[str, list[str]], runs: dict[str, list[str]], digest: str, more: str = "") -> list[str]:
    return [
        _function("guard_payout_edges", f"{_when(_forbidden(payouts), WAY)} {more} RETURN NEW;", replace=True),
        _function(
            "guard_payout_run_edges",
            f"{_when(_forbidden(runs), RUN_WAY)}"
            f" {_when(f'{digest} AND OLD.digest IS DISTINCT FROM NEW.digest', DIGEST)} RETURN NEW;",
            replace=True,
        ),
    ]


def _attempt_fixed_pg(columns: list[str]) -> list[str]:
    changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in columns)
    return [
        "DROP TRIGGER guard_payout_attempt_fixed ON payout_attempt",
        "CREATE TRIGGER guard_payout_attempt_fixed BEFORE UPDATE ON payout_attempt FOR EACH ROW"
        f" WHEN ({changed}) EXECUTE FUNCTION guard_refuse()",
    ]


def _postgresql() -> list[str]:
    changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in APPROVAL_FIXED)
    statements = [
        *_edges(PAYOUT_EDGES, RUN_EDGES, _DIGEST_CHANGED),
        _added("a.state NOT IN ('planned', 'held', 'carried-over')", FIRST),
        *_attempt_fixed_pg(ATTEMPT_FIXED),
        _function("guard_payout_run_counted", f"{_when(_TOO_FEW, COUNTED)} RETURN NEW;"),
        _function("guard_payout_of_approved_run", f"{_when(_NOT_APPROVED, UNAPPROVED)} RETURN NEW;"),
        _function("guard_payout_approval", f"{_when(_NOT_BY_ANOTHER, BY_ANOTHER)} RETURN NEW;"),
        _function("guard_payout_approval_kept", _raise(VOIDED)),
        "CREATE TRIGGER guard_payout_run_counted BEFORE UPDATE ON payout_run"
        " FOR EACH ROW EXECUTE FUNCTION guard_payout_run_counted()",
        "CREATE TRIGGER guard_payout_of_approved_run BEFORE UPDATE ON payout"
        " FOR EACH ROW EXECUTE FUNCTION guard_payout_of_approved_run()",
        "CREATE TRIGGER guard_payout_approval_by_another BEFORE INSERT ON payout_approval"
        " FOR EACH ROW EXECUTE FUNCTION guard_payout_approval()",
        "CREATE TRIGGER guard_payout_approval_fixed BEFORE UPDATE ON payout_approval FOR EACH ROW"
        f" WHEN (OLD.voided_at IS NOT NULL OR {changed}) EXECUTE FUNCTION guard_payout_approval_kept()",
        "CREATE TRIGGER guard_payout_approval_kept BEFORE DELETE OR TRUNCATE ON payout_approval"
        " FOR EACH STATEMENT EXECUTE FUNCTION guard_payout_approval_kept()",
    ]
    for table in APPEND_ONLY:
        statements.append(
            f"CREATE TRIGGER guard_{table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION guard_refuse()"
        )
    return statements


def _postgresql_down() -> list[str]:
    return [
        *_edges(PAYOUT_EDGES_BEFORE, RUN_EDGES_BEFORE, "OLD.state <> 'draft'"),
        _added("a.state <> 'planned'", INTO_DRAFT),
        *_attempt_fixed_pg(ATTEMPT_FIXED_BEFORE),
        *(
            f"DROP FUNCTION guard_{name}() CASCADE"
            for name in (
                "payout_run_counted", "payout_of_approved_run", "payout_approval", "payout_approval_kept"
            )
        ),
    ]
