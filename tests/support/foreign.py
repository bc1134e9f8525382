"""Other people's implementations, to compare ours with."""

from importlib import import_module
from types import ModuleType

import pytest


def foreign(module: str, package: str) -> ModuleType:
    """The module of a package of the dev dependencies, or skip the test."""
    try:
        return import_module(module)
    except ModuleNotFoundError:
        pytest.skip(f"FOREIGN IMPLEMENTATION NOT COMPARED: {package} is not installed")
