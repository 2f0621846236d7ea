"""Hostile input, put in every place that the URL map and the description name: a new route is tried by itself."""
