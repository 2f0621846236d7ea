"""Tests of papers: what they say, what they refuse to be tricked into, and their bytes."""
