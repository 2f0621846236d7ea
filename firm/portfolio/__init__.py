"""The portfolio: all packages of the firm.

A package is a maintained open-source project or part of one, named as its ecosystem names it
(`golang.org/x/crypto/ssh`). It may live in a folder of a larger repository. Its states are adopted, staffed,
orphaned, handed over, archived; a package is staffed while somebody is assigned to it, which `staffing` decides.
"""
