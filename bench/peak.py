"""A process that closes the month of a populated store and prints its largest resident size, in megabytes."""

from __future__ import annotations

import sys
from pathlib import Path

from api.app import create_core
from bench.month_item import run_month
from firm.settings import Settings


def main() -> None:
    with create_core(Settings(database_url=sys.argv[1])).app_context():
        run_month()
    # Not getrusage: its maximum begins with the size of the process that started this one.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    print(int(status.partition("VmHWM:")[2].split()[0]) // 1024)


if __name__ == "__main__":
    main()
