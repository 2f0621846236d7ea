"""Gunicorn for the bare application: what a careful beginner would set, and a word when a worker is ready."""

from __future__ import annotations

from typing import Any

worker_class = "sync"


def post_worker_init(worker: Any) -> None:
    worker.log.info("worker ready")
