"""Tests of the books: posting, folding, invariants, attacks."""
