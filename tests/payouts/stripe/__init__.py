"""Paying over Stripe, through the provider's own library, against the tests' Stripe."""
