"""A data package's keys, held to its tables as a reader of Table Schema (datapackage.org) holds them."""

from collections.abc import Mapping, Sequence
from typing import Any


def broken_keys(package: Mapping[str, Any], sheets: Mapping[str, Sequence[Mapping[str, str]]]) -> list[str]:
    """Keys that are empty or stand in two rows, and references to a row that is not there; `sheets`: by resource.

    A reference whose columns are all empty is none.
    """
    found = []
    for resource in package["resources"]:
        name, schema, rows = resource["name"], resource["schema"], sheets[resource["name"]]
        keys = [at(row, schema.get("primaryKey", [])) for row in rows]
        if "primaryKey" in schema and not (all(map(all, keys)) and len({*keys}) == len(keys)):
            found.append(f"{name}: primary key")
        for each in schema.get("foreignKeys", []):
            there = {at(row, each["reference"]["fields"]) for row in sheets[each["reference"].get("resource", name)]}
            said = {at(row, each["fields"]) for row in rows}
            found += [f"{name}: {each['fields']} {ids}" for ids in sorted(said - there) if any(ids)]
    return found


def at(row: Mapping[str, str], names: Sequence[str]) -> tuple[str, ...]:
    """These cells of a row."""
    return tuple(row[name] for name in names)
