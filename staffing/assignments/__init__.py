"""Assignments: maintainer x package x role x share of time, from a date until a date.

A package is staffed only if money is available for it and at least one client named an interest in it; and a
subcontractor serves only where a client's agreement allows it. The lead may override either, with a reason on
record. Only paid assignments carry commitments and need pay terms; volunteers are shown, never tasked. A person's
paid shares never exceed their whole time.
"""
