"""Destinations: where a maintainer's pay goes, and over which rail.

One destination of a maintainer is live; setting another replaces it, and the old one is kept for the record. An
IBAN is checked, sealed at rest and shown by its last four characters only. A second person, a cooling-off time
and a notice for changes come with the payouts issue.
"""
