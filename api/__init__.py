"""Doors: HTTP to command, query to answer. They decide nothing."""
