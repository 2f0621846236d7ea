"""Tests of the firm: the kernel, the database, the books."""
