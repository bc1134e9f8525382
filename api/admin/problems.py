"""What a problem is and what to do: every `type` of a problem is an address of this application, too."""

from typing import Annotated, Any

from litestar import get
from litestar.params import PathParameter

from api.problems import TYPES, ProblemError


@get("/problems/{slug:str}", include_in_schema=False)
async def problem(slug: Annotated[str, PathParameter()]) -> dict[str, Any]:
    """One kind of problem, in both languages. The public application has a page of it."""
    if slug not in TYPES:
        raise ProblemError("not-found")
    return {"type": f"/problems/{slug}", **TYPES[slug]._asdict()}
