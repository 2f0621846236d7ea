"""Proofs of payment."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import Response

from api import uploads
from api.auth import current_actor, now
from api.blueprints import Blueprint
from api.fields import MomentField, Schema
from api.parts import parts
from payouts.proofs import operations
from payouts.proofs.model import KINDS

blueprint = Blueprint("payment_proofs", __name__, description="The documents that show a payment was made")


class ProofSchema(Schema):
    """That a payout has a proof, and which."""

    id = ma.fields.String()
    payout_id = ma.fields.String(metadata={"examples": ["pay_01KBXW5Z3Q9F4T2M8R6A7C1D0E"]})
    version = ma.fields.Integer()
    content_type = ma.fields.String(validate=ma.validate.OneOf(KINDS))
    size = ma.fields.Integer(metadata={"description": "In bytes.", "examples": [48211]})
    sha256 = ma.fields.String()
    added_at = MomentField()
    added_by = ma.fields.String(metadata={"examples": ["administrator"]})


@blueprint.route("/payouts/<payout_id>/proof", methods=["GET"])
@blueprint.response(200, ProofSchema)
def shown(payout_id: str) -> Any:
    """Show that a payout has a proof, and which; 404 where it has none."""
    return operations.newest_of(payout_id)


@blueprint.route("/payouts/<payout_id>/proof", methods=["POST"])
@blueprint.response(201, ProofSchema)
@blueprint.doc(requestBody=uploads.described(uploads.DOCUMENTS))
def added(payout_id: str) -> Any:
    """Add a document as a payout's newest proof."""
    content = uploads.body_of(uploads.DOCUMENTS)
    return operations.add(payout_id, content, keys=parts().keys, by=current_actor(), now=now())


@blueprint.route("/payouts/<payout_id>/proof/document", methods=["GET"])
@blueprint.response(200, content_type="application/pdf")
def document(payout_id: str) -> Any:
    """Download the newest proof; each download is audited."""
    found = operations.open_document(payout_id, keys=parts().keys, by=current_actor(), now=now())
    response = Response(found.content, content_type=found.content_type)
    ending = found.content_type.rpartition("/")[2]
    response.headers["Content-Disposition"] = f'attachment; filename="proof-{found.sha256[:12]}.{ending}"'
    return response
