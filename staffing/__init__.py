"""Who works on what, and what they did.

Maintainers are assigned to packages that have money and a client's interest; their public work is read from
repositories and advisories; clients get a funded-work report of it; juniors walk the on-ramp to a firm of their
own. Staffing stands on `firm` and knows nothing of how anyone is paid.
"""
