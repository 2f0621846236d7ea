"""Papers: figures in, PDF and HTML bytes out. Knows no database and reads no clock.

Figures are the frozen JSON values of a paper: what it says, with the names and addresses of the day of issue. They
name their kind ("statement", "funded-work-report") and the version of the template they were issued with. The same
figures always give the same bytes. People's text is data and never markup, in the PDF and in the HTML alike.

`papers` is the door; `wording` turns amounts, days and addresses into the words both forms show; `typesetting` runs
Typst. Templates use no packages, read nothing but themselves, and embed their fonts.
"""
