"""Tests of work items: reading clones and advisories, and importing what they say."""
