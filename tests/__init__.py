"""Tests: examples of the business, told with real databases and made-up people."""
