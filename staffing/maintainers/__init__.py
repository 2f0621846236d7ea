"""The people: maintainers, their grades, and the names and addresses they appear under.

A maintainer is a lead, an associate or a junior by grade, and works as owner, employee or subcontractor. In
public history one person appears under several names and addresses: each is an alias, which belongs to one
maintainer at most. An address identifies a person; a name alone does only where no address is given and the
alias says so. Whoever matches no alias stays unattributed: work is never guessed.
"""
