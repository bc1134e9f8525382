"""Logs with one lie each, hashed, chained and signed as if they were honest, under the rule that catches them."""
