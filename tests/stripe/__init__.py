"""The tests' own Stripe: a stateful HTTP server on this machine, reached by the real SDK.

A *world* is everything one Stripe account has seen: its state (accounts, transfers, payouts, balances, invoices,
events), the idempotency keys it remembers, the faults it was asked to commit, and its log. `Server.reset()` starts a
new world without starting a new server. The *clock* is Stripe's, not the product's: keys are forgotten and money
becomes available by it. The *contract* is Stripe's own OpenAPI file: every request and every answer is held against
it, and a *complaint* fails the test at its end. The *oracle* judges from the log alone.

What must always be true: money is conserved per currency; an answer that Stripe gave under a key is given again for
24 hours; a fault changes what the caller sees or whether the effect happens, never both by accident.
"""
