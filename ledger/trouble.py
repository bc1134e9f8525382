"""Expected trouble: what an operator can mend. It is told in one sentence, never by a traceback."""


class Trouble(Exception):  # noqa: N818  the message says what is the case
    """The message says what is wrong, and what to do."""
