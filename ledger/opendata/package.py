"""Descriptions of the tables for machines: a Frictionless data package, and a DCAT catalogue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ledger.opendata.table import Column, Kind, Table
from ledger.opendata.terms import Terms

PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
JSON_LD = "application/ld+json"

_TYPES = {
    Kind.INTEGER: "integer",
    Kind.TEXT: "string",
    Kind.TEXTS: "list",
    Kind.DAY: "date",
    Kind.FLAG: "boolean",
}
_CONTEXT = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_MEDIA = "https://www.iana.org/assignments/media-types/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A data set. `files`: suffix → its address and media type.

    `rows` and `sum_fen`: of a table; 0 where nothing is summed.
    """

    name: str
    title: str
    files: Mapping[str, tuple[str, str]]
    table: Table | None = None
    rows: int = 0
    sum_fen: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """All that is published, as of an entry."""

    operator: str
    seq: int
    at: str
    home: str
    """Where the description itself stays."""
    data: Sequence[Described]


def data_package(of: Publication, terms: Terms) -> dict[str, Any]:
    """Data Package 2.0 (datapackage.org): each table's CSV, with the types and meanings of its columns."""
    return {
        "$schema": PROFILE,
        "name": "sunledger",
        "id": of.home,
        "title": f"{of.operator} · 阳光账本",
        "description": "捐赠账本公开的各个列表和名册。金额均为整数，单位：分。",
        "created": of.at,
        "version": str(of.seq),
        "licenses": [{"name": terms.licence.name, "title": terms.licence.title, "path": terms.licence.url}],
        "contributors": [{"title": of.operator, "roles": ["publisher"]}],
        "resources": [_resource(each, each.table) for each in of.data if each.table],
    }


def catalogue(of: Publication, terms: Terms) -> dict[str, Any]:
    """DCAT 3 (W3C) with what DCAT-AP wants of a catalogue: title, description, publisher, licence, distributions."""
    publisher = {"@type": "foaf:Organization", "foaf:name": of.operator}
    licence = {"@id": terms.licence.url}
    said: dict[str, Any] = {
        "dct:publisher": publisher,
        "dct:license": licence,
        "dct:modified": {"@type": "xsd:dateTime", "@value": of.at},
    }
    return {
        "@context": _CONTEXT,
        "@type": "dcat:Catalog",
        "@id": of.home,
        "dct:title": f"{of.operator} · 阳光账本",
        "dct:description": f"捐赠账本的公开数据，截至账本第 {of.seq} 条。",
        **said,
        "dcat:dataset": [
            {
                "@type": "dcat:Dataset",
                "dct:identifier": each.name,
                "dct:title": each.title,
                "dct:description": f"{each.title}，截至账本第 {of.seq} 条。",
                **said,
                "dcat:distribution": [
                    {
                        "@type": "dcat:Distribution",
                        "dct:title": f"{each.title} · {suffix}",
                        "dcat:accessURL": {"@id": url},
                        "dcat:downloadURL": {"@id": url},
                        "dcat:mediaType": {"@id": _MEDIA + media_type},
                        "dct:license": licence,
                    }
                    for suffix, (url, media_type) in each.files.items()
                ],
            }
            for each in of.data
        ],
    }


def _resource(of: Described, table: Table) -> dict[str, Any]:
    path, media_type = of.files["csv"]
    return {
        "name": of.name,
        "title": of.title,
        "type": "table",
        "path": path,
        "scheme": "http",
        "format": "csv",
        "mediatype": media_type,
        "encoding": "utf-8",
        "schema": _schema(table),
        "sunledger:rows": of.rows,
        **({"sunledger:amount": table.amount, "sunledger:sum_fen": of.sum_fen} if table.amount else {}),
        "sunledger:files": {suffix: url for suffix, (url, _) in of.files.items()},
    }


def _schema(table: Table) -> dict[str, Any]:
    """Table Schema 2.0. A table that references itself is not named."""
    said: dict[str, Any] = {"fields": [_field(each) for each in table.columns]}
    if table.key:
        said["primaryKey"] = [*table.key]
    if table.references:
        said["foreignKeys"] = [
            {
                "fields": [*each.columns],
                "reference": {"fields": [*each.key], **({"resource": each.table} if each.table != table.name else {})},
            }
            for each in table.references
        ]
    return said


def _field(column: Column) -> dict[str, Any]:
    said: dict[str, Any] = {"name": column.name, "type": _TYPES[column.kind], "description": column.meaning}
    if column.kind is Kind.TEXTS:
        said |= {"itemType": "string", "delimiter": " "}
    if column.kind is Kind.FLAG:
        said |= {"trueValues": ["True"], "falseValues": ["False"]}
    if column.is_required and column.kind not in {Kind.TEXT, Kind.TEXTS}:
        said["constraints"] = {"required": True}  # an empty text is one, and in CSV no other than a missing one
    return said
