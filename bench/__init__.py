"""Measurements beside what a user would pick instead, in the same run on the same server. Never a test."""
