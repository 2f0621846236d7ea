"""Principals: the people and programs that may come in."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api import subjects
from api.auth import admission, current_actor, now
from api.blueprints import Blueprint
from api.fields import Flag, MomentField, Schema, Text
from api.paging import PageQuery, page, page_schema
from api.parts import parts
from firm.access import presence, principals
from firm.actor import Role
from firm.db import reading
from firm.profile import operations as profiles

blueprint = Blueprint("principals", __name__, description="The people and programs that may come in")
ROLES = [str(role) for role in Role if role is not Role.SYSTEM]


class PrincipalDraft(Schema):
    """Somebody to enroll: a unique name, a role, and for maintainers and clients whose data they see."""

    name = Text(required=True, most=100)
    kind = ma.fields.String(load_default="person", validate=ma.validate.OneOf(principals.KINDS))
    role = ma.fields.String(required=True, validate=ma.validate.OneOf(ROLES))
    subject_id = Text(most=34, load_default=None, allow_none=True)
    may_approve = Flag(load_default=False)


class PrincipalChange(Schema):
    """What is to change; what is not named stays. A role of maintainer or client takes its `subject_id`."""

    role = ma.fields.String(validate=ma.validate.OneOf(ROLES))
    subject_id = Text(most=34, allow_none=True)
    may_approve = Flag()
    disabled = Flag()


class PrincipalSchema(Schema):
    """Somebody who may come in, and what they may do."""

    id = ma.fields.String()
    name = ma.fields.String()
    kind = ma.fields.String(validate=ma.validate.OneOf(principals.KINDS))
    role = ma.fields.String(validate=ma.validate.OneOf(ROLES))
    subject_id = ma.fields.String(allow_none=True)
    may_approve = ma.fields.Boolean(metadata={"description": "May approve besides what the role allows."})
    has_authenticator = ma.fields.Function(
        lambda principal: principal.totp_sealed is not None, metadata={"type": "boolean"}
    )
    created_at = MomentField()
    disabled_at = MomentField(allow_none=True)


class MyselfSchema(Schema):
    """The caller, and what the token in hand allows."""

    name = ma.fields.String()
    role = ma.fields.String(validate=ma.validate.OneOf(ROLES))
    subject_id = ma.fields.String(allow_none=True)
    may_approve = ma.fields.Boolean()
    token_id = ma.fields.String()
    scopes = ma.fields.List(ma.fields.String())
    expires_at = MomentField(allow_none=True)
    proved_at = MomentField(allow_none=True, metadata={"description": "When presence was last proved."})


class AuthenticatorSchema(Schema):
    """What an authenticator app takes, shown this once."""

    principal = ma.fields.String()
    secret = ma.fields.String()
    uri = ma.fields.String()


@blueprint.route("/me", methods=["GET"])
@blueprint.response(200, MyselfSchema)
def myself() -> Any:
    """Show whose token this is, and what it allows."""
    found = admission()
    return {
        "name": found.actor.name,
        "role": str(found.actor.role),
        "subject_id": found.actor.subject_id,
        "may_approve": found.may_approve,
        "token_id": found.actor.token_id,
        "scopes": sorted(found.scopes),
        "expires_at": found.expires_at,
        "proved_at": found.proved_at,
    }


class PrincipalQuery(PageQuery):
    """Filters of the list of principals."""

    role = ma.fields.String(load_default=None, validate=ma.validate.OneOf(ROLES))


@blueprint.route("/principals", methods=["GET"])
@blueprint.arguments(PrincipalQuery, location="query")
@blueprint.response(200, page_schema(PrincipalSchema))
def listed(query: dict[str, Any]) -> Any:
    """List principals."""
    with reading() as session:
        return page(
            query,
            PrincipalSchema(),
            lambda part: principals.page(session, part, role=query["role"]),
        )


@blueprint.route("/principals", methods=["POST"])
@blueprint.arguments(PrincipalDraft)
@blueprint.response(201, PrincipalSchema)
def enrolled(body: dict[str, Any]) -> Any:
    """Enroll a person or a program."""
    subjects.refuse_unknown(Role(body["role"]), body["subject_id"])
    return principals.enroll(
        name=body["name"],
        kind=body["kind"],
        role=Role(body["role"]),
        subject_id=body["subject_id"],
        may_approve=body["may_approve"],
        by=current_actor(),
        now=now(),
    )


@blueprint.route("/principals/<key>", methods=["GET"])
@blueprint.response(200, PrincipalSchema)
def shown(key: str) -> Any:
    """Show a principal, by id or name."""
    with reading() as session:
        return principals.find(session, key)


@blueprint.route("/principals/<key>", methods=["PATCH"])
@blueprint.arguments(PrincipalChange)
@blueprint.response(200, PrincipalSchema)
def changed(body: dict[str, Any], key: str) -> Any:
    """Change what a principal may do, from its next request on."""
    role = Role(body["role"]) if "role" in body else None
    subjects.refuse_unknown(role, body.get("subject_id"))
    return principals.change(
        key,
        role=role,
        subject_id=body.get("subject_id"),
        may_approve=body.get("may_approve"),
        disabled=body.get("disabled"),
        by=current_actor(),
        now=now(),
    )


@blueprint.route("/principals/<key>/authenticator", methods=["POST"])
@blueprint.response(201, AuthenticatorSchema)
def authenticator_set(key: str) -> Any:
    """Give a principal a new authenticator (TOTP, RFC 6238); codes of an earlier one open nothing any more."""
    with reading() as session:
        issuer = profiles.current(session).name
    return presence.set_authenticator(key, issuer=issuer, keys=parts().keys, by=current_actor(), now=now())
