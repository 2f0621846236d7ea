"""The demonstration: a made-up firm, a year of its life, and the close of its last month.

Everything in it is invented: the people, the companies and the packages. It goes through the same use cases as a
real firm, with the moments of its year passed down as `now`, on a database of its own in a folder of its own.
"""
