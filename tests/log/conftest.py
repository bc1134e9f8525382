"""The laws of the log hold however slow the machine is: no time limit for an example."""

from hypothesis import settings

settings.register_profile("no time limit", deadline=None)
settings.load_profile("no time limit")
