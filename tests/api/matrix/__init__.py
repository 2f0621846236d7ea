"""The authorization matrix: every route, method, role and object, against a file that people review."""
