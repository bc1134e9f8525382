"""随机追踪一分钱: which fen of a fund is followed, by a formula anybody can repeat.

The choice hangs on the checkpoint's root, which nobody knows before everything under it is entered, and on a word of
the reader's. H = SHA-256 of `sunledger/fen/1 LF <account> LF <size> LF <root, 64 hex> LF <seed> LF`, read as one
big-endian integer; position = ⌊H · N / 2^256⌋ of the N that the fund was ever credited with. Whole numbers, nothing is
drawn twice and nothing rejected: no position is likelier than another by more than 2^-256.
"""

import hashlib

MAX_SEED = 64


def word(typed: str) -> str:
    """What a reader typed, as the formula takes it: blanks at the ends do not count, nor how many there are between."""
    return " ".join(typed.split())


def position(*, address: str, size: int, root: bytes, credited: int, seed: str) -> int:
    """A position in [0, credited) of the fund's line."""
    assert credited > 0, "an empty line has no fen"
    text = f"sunledger/fen/1\n{address}\n{size}\n{root.hex()}\n{seed}\n"
    drawn = int.from_bytes(hashlib.sha256(text.encode()).digest())
    return drawn * credited >> 256
