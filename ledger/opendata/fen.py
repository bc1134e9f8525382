"""Fen as the decimal yuan that formats of others want, exactly."""


def yuan(fen: int) -> str:
    """Two decimals, no separators: -1205 → `-12.05`."""
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02d}"
