"""Provider accounts: where a payee's money arrives at a payment provider that holds accounts.

A maintainer has at most one live account at a provider. Opening one is written down, with its key and what is asked,
before the provider is called; whoever finds an opening interrupted looks for the account by its tag, and only then asks
again under the same key. The payee then gives identity and bank details to the provider's own pages, over a link that
is handed to an authenticated caller and never stored, logged or sent.

How an account stands is the provider's word, asked for again and again, and kept with the moment of asking: `pending`,
`active`, `restricted`, `rejected`, `unsupported`, or `closed` for good. A word that we do not know counts as
`restricted`. Money goes only to an account that may receive it and may send it on to a bank; `obstacle` says in a
sentence what is in the way. An older answer never replaces a newer one.
"""
