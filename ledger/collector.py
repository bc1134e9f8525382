"""Python's collector of cyclic garbage, told to look less often: rows on their way are many, and none is garbage."""

import gc

YOUNG = 20_000
"""New objects until it looks at them; by default 700, some seventy gifts."""


def ease() -> None:
    """What is there now stays as long as the process and is never looked through again; what comes, more seldom.

    For programs that have set themselves up. Nearly all of what they make goes when its last reference goes, without
    the collector; meanwhile it took a quarter of an import's time, and pauses of a tenth of a second while somebody
    waited for an answer.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 50)
