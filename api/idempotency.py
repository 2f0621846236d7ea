"""Idempotency keys: a POST sent again under its key is answered as the first time, and done once."""

from __future__ import annotations

import hashlib
import re

from flask import Flask, Response, current_app, g, request
from sqlalchemy.exc import DBAPIError

from api.parts import parts
from firm import envelope
from firm.access import answers
from firm.access.answers import Answer, Key, KeyTaken, StillRunning
from firm.db import commit_held, drop_held
from firm.errors import ChambersError

NEEDED = frozenset(
    {
        "invoices.issued",
        "receipts.recorded",
        "months.closed",
        "journal.reversed_",
        "adjustments.made",
        "adjustments.reversed_",
        "statements.corrected",
        "statements.papers_made",
        "payout_runs.drafted",
        "payout_runs.approved",
        "payout_runs.released",
        "payouts.withdrawn",
        "payouts.settled",
        "payouts.given_back",
        "bank_files.received",
        "bank_files.resolved",
        "self_billed_invoices.issued",
        "self_billed_invoices.credited",
    }
)
"""The routes that create or move money, or long work: they are not taken without a key."""

SHOWN_ONCE = frozenset(
    {
        "tokens.issued",
        "tokens.issued_to",
        "tokens.rotated",
        "principals.authenticator_set",
        "webhook_endpoints.added",
        "webhook_endpoints.rotated",
    }
)
"""The routes whose answers hold a secret: these answers are kept sealed."""

OF_THE_TOKEN = frozenset({"step_ups.proved"})
"""The routes that do something to the token in hand without naming it."""

NEVER_KEPT = frozenset({"provider_accounts.link_made"})
"""The routes whose answers are for this moment only: a key is not taken, and each request makes a new one."""

ANSWERED = frozenset({200, 201, 202, 204, 404, 409, 422})
"""What the work itself answered. Other statuses tell of the way to it, and the same request may be tried again; so does
the 409 that says that the first request is still running."""

KEPT_HEADERS = ("Location", "ETag", "Content-Disposition")
_FORM = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)


class MalformedKey(ChambersError):
    """No key where one is needed, or one of a form that this API does not take."""


def register(app: Flask) -> None:
    """After authentication: a replay is authorized afresh."""
    app.before_request(_begin)
    app.after_request(_finish)
    app.teardown_request(_clear)


def _begin() -> Response | None:
    text = request.headers.get("Idempotency-Key")
    # A key belongs to a principal: where no token is asked for, there is none whose answers could be kept.
    if request.method != "POST" or request.endpoint is None or "admission" not in g:
        return None
    if text is None and request.endpoint not in NEEDED:
        return None
    if text is None or _FORM.fullmatch(text) is None:
        raise MalformedKey("Send an Idempotency-Key of 1 to 255 visible ASCII characters, a new one for each request.")
    if request.endpoint in NEVER_KEPT:
        return None
    content = b"\0".join((request.full_path.encode(), request.get_data()))
    key = Key(g.admission.principal_id, _route(), text, hashlib.sha256(content).hexdigest(), g.now)
    found = answers.find(key)
    if found is not None:
        return _replay(key, found)
    g.idempotency_key = key
    envelope.put(envelope.Envelope([lambda session: answers.take(session, key)], keeps_answer=True))
    return None


def _route() -> str:
    """What a key is for. Where a request is about the token in hand, that is of this token, and of no other's."""
    token_id = g.admission.actor.token_id
    of_token = request.endpoint in OF_THE_TOKEN or (request.view_args or {}).get("key") in ("me", token_id)
    return f"{token_id} {request.path}"[:300] if of_token else request.path[:300]


def replay_after(taken: KeyTaken) -> Response:
    """What to answer when another request under the key came first: its answer, if it has one already."""
    drop_held()
    key: Key | None = g.pop("idempotency_key", None)
    try:
        found = answers.find(key) if key is not None else None
    except ChambersError as error:
        return current_app.make_response(current_app.handle_user_exception(error))
    if key is None or found is None:
        return current_app.make_response(current_app.handle_user_exception(StillRunning(taken.message)))
    return _replay(key, found)


def _replay(key: Key, found: Answer) -> Response:
    body = found.body
    if found.status < 400 and request.endpoint in SHOWN_ONCE:
        answers.note_shown_again(key, by=g.actor, now=g.now)
        body = parts().keys.open(body.decode(), place=_place(key)).encode()
    response = Response(body, status=found.status, content_type=found.content_type)
    response.headers.update(found.headers)
    response.headers["Idempotent-Replayed"] = "true"
    return response


def _finish(response: Response) -> Response:
    key: Key | None = g.pop("idempotency_key", None)
    if key is None:
        return _committed(response)
    if response.status_code not in ANSWERED or g.get("problem") == StillRunning.slug():
        _give_up(key)
        return response
    if response.status_code >= 400:
        drop_held()
    headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    try:
        body = _body_to_keep(key, response)
        answers.keep(key, Answer(response.status_code, response.content_type or "", headers, body))
    except (ChambersError, DBAPIError) as error:
        # The effect has been undone with its answer.
        _give_up(key)
        return current_app.make_response(current_app.handle_user_exception(error))
    return response


def _committed(response: Response) -> Response:
    """End what waits for its answer without a key: the version told with it is the one that it made."""
    wrapped = envelope.current()
    if wrapped is None or not wrapped.keeps_answer:
        return response
    if response.status_code >= 400:
        drop_held()
        return response
    try:
        commit_held()
    except (ChambersError, DBAPIError) as error:
        return current_app.make_response(current_app.handle_user_exception(error))
    return response


def _body_to_keep(key: Key, response: Response) -> bytes:
    """The body as it is stored. Raises `Misconfigured` when it holds a secret and there is no key to seal it with."""
    if response.status_code >= 400 or request.endpoint not in SHOWN_ONCE:
        return response.get_data()
    return parts().keys.seal(response.get_data(as_text=True), place=_place(key)).encode()


def _place(key: Key) -> str:
    return f"answer:{key.principal}:{key.route}:{key.key}"


def _give_up(key: Key) -> None:
    """Undo what is held back, and free the key if an earlier transaction of this request has claimed it."""
    drop_held()
    wrapped = envelope.current()
    envelope.put(None)
    if wrapped is not None and wrapped.first_done:
        answers.forget(key)


def _clear(_error: BaseException | None) -> None:
    drop_held()
    envelope.put(None)
