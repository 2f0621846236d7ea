"""The funded-work report: a client's frozen account of a period, which answers "what do we pay you for?".

It shows work by kind with public evidence, people, releases and security of the packages that the client named an
interest in; outcomes with public links, never hours; only the work of our maintainers, never that of others; no
other client's name. A report is numbered and its figures are frozen when it is issued.
"""
