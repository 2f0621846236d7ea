"""The server as it is deployed: stopped, killed, behind nginx, and under slow callers."""
