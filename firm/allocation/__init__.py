"""Allocation: a month's recognized revenue divided into package funds, reserves and overhead.

A plan is a dated version: rates in basis points for overhead and each reserve, and integer weights for packages.
The plan in force in a month is the latest one that begins in or before it. Each retainer's revenue is divided on
its own with the largest remainder, so that its shares sum to it to the minor unit and the funds say where their
money came from. Nothing here reads invoices, and no invoice shows the split.

In the books a fund is an equity account; what is set aside stands against `equity:allocated`. A package that has
work or a client's interest must have a weight (which may be zero), or the month does not close.
"""
