"""What the firm sells, earns and holds.

The firm sells retainers to clients, recognises each month of them as revenue, divides that revenue into
package funds and reserves, and keeps it all in balanced books. Nothing here knows who works on what
(`staffing`), how anyone is paid (`payouts`) or how a request comes in (`api`); those stand on this package.

The modules beside the folders are the kernel: money, months, ids, the clock, settings and errors. They know
no database. Inside a subject: `model.py` holds tables, `rules.py` pure functions on values, `queries.py`
reads, `operations.py` writes.
"""
