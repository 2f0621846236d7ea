"""The API held against its own description, by Schemathesis, on a real server, as every role, on both databases."""
