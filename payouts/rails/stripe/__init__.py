"""Stripe Connect: the only place that imports the provider's library.

A payout over this rail is a *transfer*: money moves from the firm's balance at Stripe to the payee's account there,
and our debt ends with it. What the payee's account then sends to a bank is the *payee's payout*, whose failure gives
the money back to the payee's account, never to us. A *reversal* takes a transfer back, whole or in part.

Every call goes through `client.Client`, which paces, bounds and translates it: a failure is one of four errors of our
own (`errors`), told apart by the one question that matters: can money have moved? Only a definite refusal may be
followed by another key; what nobody knows is looked up by the transfer's group, which is the run.

What comes back is read at this border by pydantic (`payloads`) and handed on as frozen values (`values`): no object
of the library leaves this package, and a word that this version does not know is passed on as it is.
"""
