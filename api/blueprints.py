"""Blueprints that parse strictly and document what they answer."""

from __future__ import annotations

import copy
from typing import Any

import marshmallow as ma
from flask import Request, request
from flask_smorest import Api
from flask_smorest import Blueprint as SmorestBlueprint
from webargs.flaskparser import FlaskParser

from api import places, strict, uploads
from api.fields import DateField, Lines, MomentField, MoneyField, MonthField, Schema

MONEY = {
    "properties": {
        "amount": {"type": "string", "pattern": "^-?[0-9]{1,16}(\\.[0-9]{1,4})?$"},
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
    },
    "required": ["amount", "currency"],
    "additionalProperties": False,
    "examples": [{"amount": "10000.00", "currency": "USD"}],
}
PROBLEM_TYPE = "application/problem+json"


class PlaceSchema(Schema):
    """What is wrong in one place of a request: one of `pointer`, `parameter` and `header` names the place."""

    pointer = ma.fields.String(metadata={"description": "A JSON pointer (RFC 6901) into the body."})
    parameter = ma.fields.String(metadata={"description": "A parameter of the query or the path."})
    header = ma.fields.String(metadata={"description": "A header."})
    detail = ma.fields.String(required=True)
    line = ma.fields.String(metadata={"description": "Of a file; its header is line 1."})
    column = ma.fields.String(metadata={"description": "Of a file; empty where the whole line is meant."})
    text = ma.fields.String(metadata={"description": "What stands there, cut when it is long."})


class ProblemSchema(Schema):
    """A problem document (RFC 9457)."""

    type = ma.fields.String(
        required=True,
        metadata={"format": "uri", "description": "A stable name for the kind: see `x-problem-types`. More may come."},
    )
    title = ma.fields.String(required=True)
    status = ma.fields.Integer(required=True, metadata={"minimum": 400, "maximum": 599})
    detail = ma.fields.String(required=True, metadata={"description": "A sentence that says what to do."})
    request_id = ma.fields.String(required=True, metadata={"description": "Quote it when you report the problem."})
    errors = ma.fields.List(ma.fields.Nested(PlaceSchema))


class StrictParser(FlaskParser):
    """webargs with our own reader of JSON; what is wrong is raised as it is, for `api.errors`."""

    DEFAULT_UNKNOWN_BY_LOCATION = {"query": ma.RAISE, "json": ma.RAISE, "path": None}  # noqa: RUF012

    def load_json(self, req: Request, schema: Any) -> Any:
        return strict.body_of(req)

    def load_querystring(self, req: Request, schema: Any) -> Any:
        """Two readers may each take another value of a parameter that is given twice."""
        wrong = {name: ["Give this once."] for name, values in req.args.lists() if len(values) > 1}
        wrong |= {name: ["Unknown parameter."] for name in req.args if name not in schema.fields}
        if wrong:
            raise ma.ValidationError(wrong)
        return super().load_querystring(req, schema)

    def handle_error(self, error: Exception, req: Any, schema: Any, **kwargs: Any) -> Any:
        raise error


def refuse_unread() -> None:
    """Refuse what a route would not look at: whoever sends it believes that it does something."""
    if request.endpoint is None or not request.path.startswith("/v1/") or request.endpoint in uploads.MOST_BYTES:
        return
    if request.args and places.schema_of("query") is None:
        raise ma.ValidationError({"query": {name: ["Unknown parameter."] for name in request.args}})
    if places.schema_of("json") is None and (request.content_length or request.get_data()):
        unknown = {name: ["Unknown field."] for name in strict.body_of(request)}
        if unknown:
            raise ma.ValidationError({"json": unknown})


class Blueprint(SmorestBlueprint):  # type: ignore[misc]
    """A blueprint whose bodies are read strictly."""

    ARGUMENTS_PARSER = StrictParser()


class ChambersApi(Api):  # type: ignore[misc]
    """Generates the OpenAPI document from the blueprints. Errors are handled by `api.errors`, on every route."""

    ERROR_SCHEMA = ProblemSchema

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._undescribed: list[Blueprint] = []

    def register_blueprint(self, blueprint: Blueprint, **options: Any) -> None:
        """With Flask at once. To describe all routes takes as long as everything else at the start together."""
        self._app.register_blueprint(blueprint, **options)
        self._undescribed.append(blueprint)

    def document(self) -> dict[str, Any]:
        """Describe what was registered. Not for two threads at once."""
        while self._undescribed:
            blueprint = self._undescribed.pop(0)
            blueprint.register_views_in_doc(self, self._app, self.spec, name=blueprint.name, parameters=None)
            self.spec.tag({"name": blueprint.name, "description": blueprint.description})
        return copy.deepcopy(self.spec.to_dict())

    def _register_error_handlers(self) -> None:
        """smorest's own handler would answer JSON of another shape."""

    def _register_responses(self) -> None:
        kept = Api.DEFAULT_RESPONSE_CONTENT_TYPE
        self.DEFAULT_RESPONSE_CONTENT_TYPE = PROBLEM_TYPE
        super()._register_responses()
        self.DEFAULT_RESPONSE_CONTENT_TYPE = kept


def describe_fields(api: ChambersApi) -> None:
    """How our own fields look in the document."""
    api.register_field(MonthField, "string", None)
    api.register_field(DateField, "string", "date")
    api.register_field(MomentField, "string", "date-time")
    api.register_field(MoneyField, "object", None)
    api.register_field(Lines, "array", None)
    plugin = api.ma_plugin
    plugin.converter.add_attribute_function(_shape)


def _shape(converter: Any, field: Any, **kwargs: Any) -> dict[str, Any]:
    if isinstance(field, MonthField):
        return {"pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$", "examples": ["2026-10"]}
    if isinstance(field, Lines):
        return {"items": {"type": "string"}}
    if isinstance(field, MoneyField):
        return MONEY
    return {}
