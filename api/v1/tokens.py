"""Tokens: what principals come in with."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import marshmallow as ma

from api import subjects
from api.auth import admission, current_actor, is_in_hand, now
from api.blueprints import Blueprint
from api.errors import AnothersThing
from api.fields import MomentField, MomentInput, Schema, Text, Whole
from api.filters import BY_ID_OR_NAME
from api.paging import PageQuery, page, page_schema
from api.v1.principals import ROLES
from firm.access import principals, tokens
from firm.access.tokens import Issued
from firm.actor import Role
from firm.db import reading

blueprint = Blueprint("tokens", __name__, description="Bearer tokens")
LASTS_DAYS = 90
SEE_ALL = (Role.LEAD, Role.AUDITOR)
"""Who is shown the tokens of others too, in the list as one by one."""


class TokenTerms(Schema):
    """What a token allows and until when; at most 366 days."""

    label = Text(most=100, least=0, load_default="")
    scopes = ma.fields.List(
        ma.fields.String(validate=ma.validate.Length(max=60)),
        load_default=list(tokens.ALL_SCOPES),
        validate=ma.validate.Length(min=1, max=40),
        metadata={"description": "read, write, or one of them for a resource, such as write:receipts."},
    )
    expires_at = MomentInput(load_default=None, metadata={"description": f"By default in {LASTS_DAYS} days."})


class TokenDraft(Schema):
    """A principal to enroll and the token to give it, in one."""

    name = Text(required=True, most=100)
    role = ma.fields.String(required=True, validate=ma.validate.OneOf(ROLES))
    subject_id = Text(most=34, load_default=None, allow_none=True)


class Rotation(Schema):
    """For how long the old token still opens."""

    overlap_minutes = Whole(least=0, most=24 * 60, load_default=0)


class TokenSchema(Schema):
    """A token, without its secret."""

    id = ma.fields.String()
    name = ma.fields.String(metadata={"description": "Its principal's name."})
    role = ma.fields.String(validate=ma.validate.OneOf(ROLES))
    subject_id = ma.fields.String(allow_none=True)
    label = ma.fields.String()
    scopes = ma.fields.List(ma.fields.String())
    created_at = MomentField()
    created_by = ma.fields.String()
    expires_at = MomentField(allow_none=True)
    revoked_at = MomentField(allow_none=True)
    last_used_at = MomentField(allow_none=True, metadata={"description": "To within a few requests."})


class NewTokenSchema(TokenSchema):
    """An issued token; `secret` is shown this once."""

    secret = ma.fields.String()


class TokenQuery(PageQuery):
    """Filters of the list of tokens."""

    principal = Text(most=100, load_default=None, metadata=BY_ID_OR_NAME)


@blueprint.route("/tokens", methods=["GET"])
@blueprint.arguments(TokenQuery, location="query")
@blueprint.response(200, page_schema(TokenSchema))
def listed(query: dict[str, Any]) -> Any:
    """List tokens, live and not."""
    with reading() as session:
        principal_id = principals.find(session, query["principal"]).id if query["principal"] else None
        return page(
            query,
            TokenSchema(),
            lambda part: [_shape(*row) for row in tokens.page(session, part, principal_id=principal_id)],
            key=lambda shape: str(shape["id"]),
        )


@blueprint.route("/tokens/<key>", methods=["GET"])
@blueprint.response(200, TokenSchema)
def shown(key: str) -> Any:
    """Show a token by its id, live or not. Everybody may see their own, and the one in hand as "me"."""
    with reading() as session:
        row = tokens.find_any(session, current_actor().token_id or "" if is_in_hand(key) else key)
    if current_actor().role not in SEE_ALL and row.Principal.id != admission().principal_id:
        raise AnothersThing(f"There is no token {key!r}.")
    return _shape(*row)


@blueprint.route("/tokens", methods=["POST"])
@blueprint.arguments(TokenDraft)
@blueprint.response(201, NewTokenSchema)
def issued(body: dict[str, Any]) -> Any:
    """Enroll a principal and issue its first token, of all its role's scopes, for ninety days."""
    subjects.refuse_unknown(Role(body["role"]), body["subject_id"])
    found = tokens.issue_token(
        name=body["name"],
        role=Role(body["role"]),
        subject_id=body["subject_id"],
        expires_at=now() + timedelta(days=LASTS_DAYS),
        by=current_actor(),
        now=now(),
    )
    return _new(found)


@blueprint.route("/principals/<key>/tokens", methods=["POST"])
@blueprint.arguments(TokenTerms)
@blueprint.response(201, NewTokenSchema)
def issued_to(body: dict[str, Any], key: str) -> Any:
    """Issue a token to a principal, by id or name."""
    subjects.refuse_nameless(body["scopes"])
    found = tokens.issue(
        key,
        label=body["label"],
        scopes=body["scopes"],
        expires_at=body["expires_at"] or now() + timedelta(days=LASTS_DAYS),
        by=current_actor(),
        now=now(),
    )
    return _new(found)


@blueprint.route("/tokens/<key>/rotation", methods=["POST"])
@blueprint.arguments(Rotation)
@blueprint.response(201, NewTokenSchema)
def rotated(body: dict[str, Any], key: str) -> Any:
    """Replace a token by a new one of the same scopes and end. Everybody may rotate the token in hand ("me")."""
    overlap = timedelta(minutes=body["overlap_minutes"])
    return _new(tokens.rotate(_reached(key), overlap=overlap, by=current_actor(), now=now()))


@blueprint.route("/tokens/<key>/revocation", methods=["POST"])
@blueprint.response(204)
def revoked(key: str) -> None:
    """Revoke a token by its id, or all tokens of a principal by its name, at once.

    Everybody may revoke the token in hand ("me").
    """
    tokens.revoke_token(_reached(key), by=current_actor(), now=now())


def _reached(key: str) -> str:
    """The token that the caller means: the one in hand, or for a lead any. Raises `AnothersThing`."""
    if is_in_hand(key):
        return current_actor().token_id or ""
    if current_actor().role is not Role.LEAD:
        raise AnothersThing(f"There is no live token {key!r}.")
    return key


def _new(found: Issued) -> dict[str, Any]:
    return _shape(found.token, found.principal, None) | {"secret": found.secret}


def _shape(token: Any, principal: Any, last_used_at: Any) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": principal.name,
        "role": principal.role,
        "subject_id": principal.subject_id,
        "label": token.label,
        "scopes": token.scopes.split(),
        "created_at": token.created_at,
        "created_by": token.created_by,
        "expires_at": token.expires_at,
        "revoked_at": token.revoked_at,
        "last_used_at": last_used_at,
    }
