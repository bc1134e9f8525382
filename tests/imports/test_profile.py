import json

from ledger.imports.cell import folded
from ledger.imports.profile import PROFILES, Field
from tests.support.realdata import realdata


def test_every_money_heading_seen_in_real_notices_has_its_meaning() -> None:
    seen = json.loads(realdata("import_header_aliases.json").read_bytes())["money"]
    for meaning, headings in seen.items():
        for heading in headings:
            assert PROFILES["notice"].aliases[folded(heading)] is Field(meaning)


def test_a_profile_requires_only_what_a_heading_can_give() -> None:
    for name, profile in PROFILES.items():
        assert profile.name == name
        assert profile.required <= set(profile.aliases.values())
        assert all(folded(heading) == heading for heading in profile.aliases)
