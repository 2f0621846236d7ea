"""Bare Flask, to measure ours beside: F7 says hello, F8 answers one row of the same database as JSON through Core."""

from __future__ import annotations

import os
from typing import Any

from flask import Flask, jsonify
from sqlalchemy import column, create_engine, select, table
from sqlalchemy.pool import QueuePool

app = Flask("floor")
_url = os.environ["BENCH_FLOOR_URL"]
_options: dict[str, Any] = {}
if _url.startswith("sqlite"):
    import pysqlite3.dbapi2

    _options = {"module": pysqlite3.dbapi2, "poolclass": QueuePool}
_engine = create_engine(_url, **_options)
_client = table("client", column("id"), column("name"), column("country"))


@app.get("/hello")
def hello() -> str:
    return "hello"


@app.get("/client/<key>")
def client(key: str) -> Any:
    with _engine.connect() as connection:
        row = connection.execute(select(_client).where(_client.c.id == key)).one()
    return jsonify(dict(row._mapping))
