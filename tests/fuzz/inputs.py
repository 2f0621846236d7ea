"""What parsers are fed: texts, bytes and values made up, or mutated from the corpus."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.corpus import BYTES, MARKUP, MESSAGES, TEXTS

texts = st.one_of(
    st.sampled_from(TEXTS),
    st.text(max_size=200),
    st.text(alphabet="0123456789.-+eE_,:TZ/ ", max_size=60),
    st.tuples(st.sampled_from(TEXTS), st.text(max_size=20)).map("".join),
)
blobs = st.one_of(
    st.sampled_from(BYTES),
    st.binary(max_size=400),
    texts.map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.tuples(st.sampled_from(BYTES), st.binary(max_size=20)).map(b"".join),
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
records = st.dictionaries(
    st.sampled_from(["id", "summary", "published", "modified", "withdrawn", "aliases", "affected", "references"]),
    values,
)
payments = st.fixed_dictionaries(
    {
        "id": st.just("tr_1") | values,
        "created": st.integers() | values,
        "amount": st.integers() | values,
        "amount_reversed": st.just(0) | values,
        "currency": st.sampled_from(["usd", "isk", "kwd", "mga", "usdc"]) | values,
        "destination": st.just("acct_1") | values,
        "metadata": st.dictionaries(texts, texts, max_size=3) | values,
        "livemode": st.booleans() | values,
    }
)
capabilities = st.fixed_dictionaries({"stripe_transfers": values, "payouts": st.fixed_dictionaries({"status": texts})})
accounts = st.fixed_dictionaries(
    {
        "id": st.just("acct_1"),
        "configuration": values
        | capabilities.map(lambda found: {"recipient": {"capabilities": {"stripe_balance": found}}}),
        "requirements": values | st.lists(st.fixed_dictionaries({"description": texts})).map(lambda e: {"entries": e}),
    }
)
events = st.fixed_dictionaries(
    {
        "id": st.text(alphabet="evt_0123456789", min_size=1, max_size=20) | values,
        "object": st.sampled_from(["event", "v2.core.event"]) | values,
        "type": st.sampled_from(["transfer.created", "payout.failed", "v2.core.account[requirements].updated"])
        | values,
        "livemode": st.just(False) | values,
        "created": st.integers() | texts | values,
    },
    optional={
        "account": texts | values,
        "context": texts | values,
        "api_version": texts | values,
        "related_object": st.fixed_dictionaries({"id": texts, "type": texts}) | values,
        "data": st.fixed_dictionaries({"object": st.fixed_dictionaries({"id": texts, "object": texts})}) | values,
    },
)
signature_headers = st.one_of(
    texts,
    st.lists(
        st.sampled_from(["t=1", "t=1790000000", "v1=" + "a" * 64, "v0=b", "t=", "v1=", "=", "t=99999999999"]) | texts,
        max_size=6,
    ).map(",".join),
)


def changed(parts: tuple[bytes, int, int, bytes]) -> bytes:
    """Bytes of which some were replaced: the whole, where, how many, and by what."""
    whole, start, length, other = parts
    start %= max(1, len(whole))
    return whole[:start] + other + whole[start + length :]


def damaged(*wholes: bytes) -> st.SearchStrategy[bytes]:
    """One of these files with a piece replaced by another, cut out, or cut off."""
    most = max(map(len, wholes))
    pieces = st.tuples(st.sampled_from(wholes), st.integers(0, most), st.integers(0, 40), st.binary(max_size=12))
    cut = st.tuples(st.sampled_from(wholes), st.integers(0, most)).map(lambda parts: parts[0][: parts[1]])
    return st.one_of(pieces.map(changed), cut)


ODD: list[object] = [
    None,
    True,
    -1,
    2**63,
    10**30,
    0.5,
    float("inf"),
    float("nan"),
    "",
    "x",
    [],
    {},
    [[]],
    "0001-01-01T00:00:00+14:00",
]
"""Values of other kinds, and beyond any range."""
_LEFT_OUT, _DEEP = object(), object()


def reshaped(*wholes: bytes) -> st.SearchStrategy[bytes]:
    """One of these JSON documents with the value at one place replaced by one of another kind, left out, or deep."""
    return st.sampled_from(wholes).map(json.loads).flatmap(_reshaped)


def _reshaped(document: Any) -> st.SearchStrategy[bytes]:
    others = st.one_of(st.sampled_from(ODD), values, st.just(_LEFT_OUT), st.just(_DEEP))
    return st.tuples(st.sampled_from(list(_places(document))), others).map(lambda parts: _put(document, *parts))


def _places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield above
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _places(inner, (*above, key))


def _put(document: Any, place: tuple[Any, ...], other: object) -> bytes:
    holder = [copy.deepcopy(document)]
    here: Any = holder
    path = (0, *place)
    for key in path[:-1]:
        here = here[key]
    if other is _LEFT_OUT and isinstance(here, dict):
        del here[path[-1]]
    else:
        here[path[-1]] = "a place" if other in (_LEFT_OUT, _DEEP) else other
    text = json.dumps(holder[0])
    return (text.replace('"a place"', "[" * 3_000 + "]" * 3_000) if other is _DEEP else text).encode("utf-8", "replace")


bank_messages = st.tuples(
    st.sampled_from(MESSAGES),
    st.integers(0, 5_000),
    st.integers(0, 40),
    st.one_of(st.binary(max_size=12), st.sampled_from(MARKUP), texts.map(lambda text: text.encode("utf-8", "replace"))),
).map(changed)
