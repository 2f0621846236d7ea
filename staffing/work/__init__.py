"""Work items: public work, read from where it happened.

A work item is one piece of public work on a package: a commit, a review, a release, a vulnerability handled. It is
known by its kind and its key in the outside world (a commit's hash, an advisory's id), so that importing again
adds nothing. A commit and each review of it are items of their own. Items name the person as the history does and
the maintainer where an alias says who that is; nobody is guessed, and the work of others is never claimed.

`git.py` and `osv.py` read the outside world and know no database; `operations.py` turns what they read into items,
and `storing.py` stores each once.
"""
