"""Step-ups: proving presence before an approval."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api.auth import admission, now
from api.blueprints import Blueprint
from api.fields import MomentField, Schema
from api.parts import parts
from firm.access import presence

blueprint = Blueprint("step_ups", __name__, description="Proving presence before an approval")


class Code(Schema):
    """The six digits that the caller's authenticator shows now."""

    code = ma.fields.String(required=True, validate=ma.validate.Regexp("^[0-9]{6}\\Z"), metadata={"example": "492039"})


class StepUpSchema(Schema):
    """Until when the token in hand may approve."""

    until = MomentField()


@blueprint.route("/step-ups", methods=["POST"])
@blueprint.arguments(Code)
@blueprint.response(201, StepUpSchema)
def proved(body: dict[str, Any]) -> Any:
    """Prove presence with a code; the token may approve for five minutes."""
    return {"until": presence.prove(admission(), body["code"], keys=parts().keys, now=now())}
