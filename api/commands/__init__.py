"""The commands, one module a subject. Each translates in, calls one use case, and says what happened.

With `--json`, a command prints what the API would answer. Errors are one sentence on the error stream; the exit code
is 0 when done, 1 when refused, 2 when the command itself was written wrongly.
"""
