"""What every body is, and the words several of them use."""

from typing import Literal, TypeAlias

import msgspec

from ledger.account import Whole


class Body(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What an entry says beside its postings. A field with its default value is absent from the bytes.

    Defaults are values Python keeps once (empty, small numbers): msgspec tells a default by identity.
    """


Part: TypeAlias = tuple[Whole, ...]
"""(i, k): this entry is the i-th of the k that one effect was split into; absent where it is the only one."""

WHOLE: Part = (1, 1)

Spending = Literal["aid", "purchase", "campaign", "management"]
