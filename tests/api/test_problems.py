"""What a problem's `type` names is there, whichever application said it."""

from html import unescape

import pytest
from litestar import Litestar

from api.problems import TYPES
from tests.support.visitor import visitor


@pytest.mark.parametrize("name", ["admin", "public"])
async def test_every_problem_leads_to_what_to_do(name: str, applications: dict[str, Litestar]) -> None:
    async with visitor(applications[name]) as http:
        for slug, kind in TYPES.items():
            answer = await http.get(f"/problems/{slug}")
            assert answer.status_code == 200, slug
            said = unescape(answer.text)
            assert kind.title in said, slug
            assert kind.advice in said, slug
        unknown = await http.get("/problems/unheard-of")
        assert (unknown.status_code, unknown.json()["type"]) == (404, "/problems/not-found")
