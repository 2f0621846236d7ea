"""A worker of its own process, whose one kind of job writes a file and waits: to be killed or stopped in the middle."""

from __future__ import annotations

import signal
import sys
import threading
import time
from pathlib import Path

from api.app import create_core
from api.worker import Worker
from firm.jobs.kinds import Kind, Task
from tests.databases import settings_for

KIND = "tests.slow"


def slow(task: Task) -> dict[str, int]:
    """Say that we are in the middle, wait until told to go on, and say that we got to the end."""
    folder = Path(task.payload["folder"])
    (folder / f"begun-{task.attempt}").touch()
    while not (folder / "go-on").exists():
        time.sleep(0.01)
    (folder / f"ended-{task.attempt}").touch()
    return {"attempt": task.attempt}


KINDS = {KIND: Kind(slow)}


def main() -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    Worker(create_core(settings_for(sys.argv[1])), KINDS, stop=stop).run()


if __name__ == "__main__":
    main()
