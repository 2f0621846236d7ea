"""A payday of a large firm over the tests' own Stripe, and a large firm's papers: `make payday`, `make papers`."""
