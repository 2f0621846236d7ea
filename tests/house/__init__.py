"""The house's own rules, those that no linter checks: each is a pure function on source, tried on a planted breach."""
