"""Answers of a store that cannot write just now. Doors of readers know them too, without knowing the sequencer."""


class Busy(Exception):  # noqa: N818  an answer: come back later
    """The queue is full."""


class Stopped(Exception):  # noqa: N818  an answer: this process writes no more
    """This sequencer does not write: it has not started, was fenced off, or its clock is wrong."""
