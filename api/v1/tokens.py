"""Tokens: who may come in."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api.auth import current_actor, now
from api.blueprints import Blueprint
from api.fields import MomentField, Schema, Text
from firm.access import operations
from firm.actor import Role

blueprint = Blueprint("tokens", __name__, description="Bearer tokens")


class TokenDraft(Schema):
    """A token to issue: a unique name, a role, and for maintainers and clients whose data it sees."""

    name = Text(required=True, most=100)
    role = ma.fields.String(
        required=True, validate=ma.validate.OneOf([str(role) for role in Role if role is not Role.SYSTEM])
    )
    subject_id = Text(most=34, load_default=None, allow_none=True)


class TokenSchema(Schema):
    """An issued token; `secret` is shown this once."""

    id = ma.fields.String()
    name = ma.fields.String()
    role = ma.fields.String()
    subject_id = ma.fields.String(allow_none=True)
    created_at = MomentField()
    secret = ma.fields.String()


@blueprint.route("/tokens", methods=["POST"])
@blueprint.arguments(TokenDraft)
@blueprint.response(201, TokenSchema)
def issued(body: dict[str, Any]) -> Any:
    """Issue a token."""
    token, secret = operations.issue_token(
        name=body["name"],
        role=Role(body["role"]),
        subject_id=body["subject_id"],
        by=current_actor(),
        now=now(),
    )
    return {name: getattr(token, name) for name in ("id", "name", "role", "subject_id", "created_at")} | {
        "secret": secret
    }


@blueprint.route("/tokens/<name>/revocation", methods=["POST"])
@blueprint.response(204)
def revoked(name: str) -> None:
    """Revoke a token at once."""
    operations.revoke_token(name, by=current_actor(), now=now())
