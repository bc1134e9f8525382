"""The pages that say what a problem is and what to do: every `type` of a problem is an address here."""

from typing import Annotated

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import PathParameter

from api.problems import TYPES, ProblemError
from public_site.site import Site
from public_site.words import both

_KEPT = {"Cache-Control": "public, max-age=3600"}


@get(both("/problems"), include_in_schema=False)
async def problems(site: NamedDependency[Site]) -> Response[str]:
    """Every kind of problem."""
    return site.page("problems", None, headers=_KEPT, types=TYPES)


@get(both("/problems/{slug:str}"), include_in_schema=False)
async def problem(slug: Annotated[str, PathParameter()], site: NamedDependency[Site]) -> Response[str]:
    """One kind of problem."""
    if slug not in TYPES:
        raise ProblemError("not-found")
    return site.page("problem", None, headers=_KEPT, slug=slug, type=TYPES[slug], detail="", errors=(), request_id="")
