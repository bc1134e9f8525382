"""Amounts in Chinese capitals 大写金额, as certificates and vouchers write them.

Source: 支付结算办法, annex 1, 正确填写票据和结算凭证的基本规定. Where it leaves a choice: no 零 before 角, 整
after 角.
"""

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_UNITS = ((10**8, "亿"), (10**4, "万"), (1_000, "仟"), (100, "佰"), (10, "拾"))


def capitals(fen: int) -> str:
    """人民币伍佰元整. `fen`: not negative."""
    assert fen >= 0
    yuan, minor = divmod(fen, 100)
    jiao, last = divmod(minor, 10)
    said = f"{_whole(yuan)}元" if yuan or not fen else ""
    if jiao:
        said += f"{_DIGITS[jiao]}角"
    elif yuan and last:
        said += "零"
    return f"人民币{said}{_DIGITS[last]}分" if last else f"人民币{said}整"


def _whole(count: int) -> str:
    for unit, name in _UNITS:
        if count >= unit:
            high, low = divmod(count, unit)
            skipped = "零" if 0 < low < unit // 10 else ""
            return f"{_whole(high)}{name}{skipped}{_whole(low) if low else ''}"
    return _DIGITS[count]
