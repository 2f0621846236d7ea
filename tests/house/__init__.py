"""The house's own rules, which no linter checks: pure functions on source, each tried on a planted breach."""
