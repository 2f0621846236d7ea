"""How gunicorn runs the API: `gunicorn --config python:api.serving wsgi:app`, or `chambers serve`.

Module names are gunicorn's settings. Each may be overridden on gunicorn's command line; `deploy/gunicorn.conf.py`
is where an administrator changes them for good.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from api.http_worker import Log, Worker
from api.logs import told
from api.readiness import stop_being_ready_on_sigterm
from firm.settings import load

log = logging.getLogger("chambers.server")

bind = "127.0.0.1:8000"
wsgi_app = "wsgi:app"

# Sync workers: a request is CPU and one database; more than one a core would only wait for each other. Slow clients
# are the proxy's business, which hands over whole requests and takes whole answers.
workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
worker_class = Worker
logger_class = Log

# A worker that answers nothing for so long is killed; long work is done by `chambers worker`.
timeout = 60
# How long a stop waits for what was begun. The unit's TimeoutStopSec is a little longer.
graceful_timeout = 25

# Workers begin afresh now and then, not all at once, so that a slow leak in any library never becomes an outage.
max_requests = 20_000
max_requests_jitter = 2_000

limit_request_line = 4094
limit_request_fields = 100
limit_request_field_size = 8190

# The heartbeat file in memory: on a busy disk it could be late, and the worker would be killed for it.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
# One path for all instances of a user: two servers would fight for it.
control_socket_disable = True
# Proxies are trusted by CHAMBERS_BEHIND_PROXY alone, in the application.
forwarded_allow_ips = ""

_METRICS = "PROMETHEUS_MULTIPROC_DIR"
_own_folder: list[str] = []


def on_starting(server: Any) -> None:
    """Before the first worker: an empty folder for the workers' metrics."""
    if _METRICS in os.environ:
        folder = Path(os.environ[_METRICS])
        folder.mkdir(parents=True, exist_ok=True)
        for left_over in folder.glob("*.db"):
            left_over.unlink()
        return
    os.environ[_METRICS] = tempfile.mkdtemp(prefix="chambers-metrics-")
    _own_folder.append(os.environ[_METRICS])


def when_ready(server: Any) -> None:
    """Say how we serve, and that slow clients can hold every worker where no proxy stands in front."""
    log.info("serving", extra=told("serving", workers=server.cfg.workers))
    if not load().behind_proxy:
        log.warning(
            "No proxy stands in front: a few slow clients can keep every worker busy. "
            "Put nginx before it (deploy/nginx.conf) and set CHAMBERS_BEHIND_PROXY=true.",
            extra=told("no-proxy"),
        )


def post_worker_init(worker: Any) -> None:
    """From SIGTERM on, the worker that finishes its request also says that it is not ready."""
    stop_being_ready_on_sigterm()
    log.info("worker ready", extra=told("worker-ready", pid=worker.pid))


def child_exit(server: Any, worker: Any) -> None:
    """A dead worker's requests are not in flight any more."""
    from prometheus_client import multiprocess  # imported here: it reads the folder's name when it is imported

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(server: Any) -> None:
    for folder in _own_folder:
        shutil.rmtree(folder, ignore_errors=True)
