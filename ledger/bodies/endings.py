"""Ends: a fund or a project that is closed is empty, and stays so."""

from typing import Literal

from ledger.bodies.body import Body

Residue = Literal["agreed", "moved", "none", "returned"]


class FundClosed(Body, frozen=True):
    """Nothing moves in or out of this fund any more. `residue`: what became of what was left, and on what `basis`."""

    basis: str
    fund: str
    org: str
    residue: Residue
    evidence: tuple[str, ...] = ()
    successor: str = ""


class ProjectClosed(Body, frozen=True):
    """Nothing moves in or out of this project any more. `residue`: what became of what was left, on what `basis`."""

    basis: str
    org: str
    project: str
    residue: Residue
    evidence: tuple[str, ...] = ()
    successor: str = ""
