"""Tests of funded-work reports: what they count, whom they name, and that they stay as issued."""
