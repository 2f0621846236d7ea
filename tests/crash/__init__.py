"""Killing the worker at every named point, again and again, and asking afterwards where the money is.

A *schedule* is what one seed decides: a small firm with money payable, who is killed when, what goes wrong at the
provider, and how far the clock moves between one *life* of a process and the next. A life is a forked process that does
what people and the worker do next, from wherever the books stand; it ends by itself, or by SIGKILL at a *point* of
`firm.faults` or in the middle of a call. Lives that may be killed are followed by lives that may not, until all is
quiet: nothing payable, nothing under way.

Then the *verdict*: each payee has got what the books owed at the start, once, by the log of the tests' Stripe and by
the bank files; the journal says the same; no invariant of the house is broken. A *mutant* is a bug planted in a life;
the harness is worth something only if each is caught.
"""
