"""Everything a firm has, as one documented file that it can take anywhere, and the way back.

An archive is a zip with `manifest.json` and one file of JSON lines for each table (`docs/archive.md`). It is written
from one consistent view and read into an empty firm only, through the same guards that stand before everybody:
lines come before the entries that seal them, months are opened before they are closed, and payouts walk the ways
that payouts may go. What comes in has the trial balance that went out, or does not come in.

What opens doors is left out: tokens, authenticators, kept answers. Bank details stay sealed and need their keys.
"""
