"""Notices: short letters to people that a change makes necessary, promised in the same commit as the change.

A notice is a row of its own (an outbox): to whom, its subject and text as they were on that day, and a key by which
the same thing is told once. A worker sends it by e-mail where a mail server is set (CHAMBERS_SMTP_URL and
CHAMBERS_MAIL_FROM); otherwise, and when the mail server refuses it for good, it waits in the list of notices for a
person, who tells it by another way and says how.

A notice is marked after the mail server has taken it. A process that dies in between sends it again: twice is
possible, never is not, and both carry the same Message-ID, by which mail programs know them for one. A notice never
holds a secret and of an account its last four characters at most.
"""
