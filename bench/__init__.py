"""Measurements beside the bare database: `python -m bench`.

Each item is a pair over the same rows in the same process: ours through the public domain call, and the floor in raw
driver calls, on a schema that holds nothing but the rows (comparable over years) and, where it says so, on our own
tables with their indexes and guards. An item's number is the median of the pairs' ratios, floor time over our time:
1.00 is as quick as the database itself. A ratio is printed and never asserted; what must not change is asserted by
the deterministic twins in `tests/bench`.
"""
