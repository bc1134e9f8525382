"""Under which licence and which identifiers an operator publishes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """A licence that conforms to the Open Definition. `name`: its SPDX identifier; `by`: the source is to be named."""

    name: str
    title: str
    url: str
    by: bool = True


LICENCES = {
    each.name: each
    for each in (
        Licence(
            name="CC-BY-4.0",
            title="Creative Commons Attribution 4.0 International",
            url="https://creativecommons.org/licenses/by/4.0/",
        ),
        Licence(
            name="CC0-1.0",
            title="Creative Commons Zero 1.0 Universal",
            url="https://creativecommons.org/publicdomain/zero/1.0/",
            by=False,
        ),
        Licence(
            name="ODC-By-1.0",
            title="Open Data Commons Attribution License 1.0",
            url="https://opendatacommons.org/licenses/by/1-0/",
        ),
    )
}
"""Those that may be chosen, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """`iati_org`: the operator's organisation identifier of IATI; `giving_prefix`: of 360Giving. Empty: it has none."""

    licence: Licence = LICENCES["CC-BY-4.0"]
    iati_org: str = ""
    giving_prefix: str = ""
