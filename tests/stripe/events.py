"""What has happened, as both APIs list it."""

from __future__ import annotations

from datetime import timedelta

from tests.stripe.answers import Request, missing
from tests.stripe.state import Happening, Object, State, matching, operation, paged

LISTED_FOR = timedelta(days=30)


@operation("GET /v1/events")
def list_all(state: State, request: Request) -> Object:
    found = [each.body for each in _kept(state) if not each.thin and each.account == request.account]
    wanted = {request.parameters["type"]} if "type" in request.parameters else set(request.parameters.get("types", ()))
    return paged(request, matching(request, (each for each in found if not wanted or _is_one_of(each, wanted))))


@operation("GET /v1/events/{id}")
def retrieve(state: State, request: Request) -> Object:
    found = state.happenings.get(request.subject)
    if found is None or found.thin or found.account != request.account or not _is_kept(state, found):
        raise missing("event", request.subject)
    return found.body


@operation("GET /v2/core/events")
def list_thin(state: State, request: Request) -> Object:
    found = [each.body for each in _kept(state) if each.thin and _asked_for(request, each.body)][::-1]
    first = int(request.parameters.get("page", "0"))
    last = first + request.parameters.get("limit", 20)
    further = f"/v2/core/events?page={last}&limit={last - first}" if last < len(found) else None
    return {"data": found[first:last], "next_page_url": further, "previous_page_url": None}


@operation("GET /v2/core/events/{id}")
def retrieve_thin(state: State, request: Request) -> Object:
    found = state.happenings.get(request.subject)
    if found is None or not found.thin:
        raise missing("event", request.subject, second_api=True)
    return found.body


def _kept(state: State) -> list[Happening]:
    return [each for each in state.happenings.values() if _is_kept(state, each)]


def _is_kept(state: State, happening: Happening) -> bool:
    since = state.clock.now() - LISTED_FOR
    if happening.thin:
        return happening.body["created"] >= since.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return happening.body["created"] >= int(since.timestamp())


def _is_one_of(event: Object, wanted: set[str]) -> bool:
    """`transfer.*` stands for all events of transfers."""
    return event["type"] in wanted or f"{event['type'].rpartition('.')[0]}.*" in wanted


def _asked_for(request: Request, event: Object) -> bool:
    asked = request.parameters
    if "object_id" in asked and event["related_object"]["id"] != asked["object_id"]:
        return False
    if "types" in asked and event["type"] not in asked["types"]:
        return False
    bounds = asked.get("created", {})
    return (
        bounds.get("gte", "") <= event["created"]
        and event["created"] > bounds.get("gt", "")
        and event["created"] <= bounds.get("lte", "9")
        and event["created"] < bounds.get("lt", "9")
    )
