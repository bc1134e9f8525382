"""What describes the data: data package and catalogue name every file there is, as of an entry, and its licence."""

import csv
import io
from datetime import date
from typing import Any

import httpx
import pyarrow.parquet as pq

from api import main as applications
from api.public.app import build
from api.public.data import FILES, TABLES
from ledger.settings import Settings
from tests.support.branch import Branch
from tests.support.reported import report
from tests.support.visitor import visitor

NAMES = [each.name for each in TABLES]


async def test_the_data_package_describes_every_column_of_every_csv(some: Branch, http: httpx.AsyncClient) -> None:
    package = (await http.get("/data/datapackage.json")).json()
    assert [each["name"] for each in package["resources"]] == NAMES
    assert package["licenses"][0]["name"] == "CC-BY-4.0"
    for resource in package["resources"]:
        sheet = await http.get(resource["path"])
        lines = [*csv.DictReader(io.StringIO(sheet.content.decode("utf-8-sig")))]
        fields = {each["name"]: each for each in resource["schema"]["fields"]}
        assert next(csv.reader(io.StringIO(sheet.content.decode("utf-8-sig")))) == [*fields]
        assert all(each["description"] for each in fields.values())
        assert resource["sunledger:rows"] == len(lines)
        amount = resource.get("sunledger:amount")
        assert resource.get("sunledger:sum_fen") == (sum(int(line[amount]) for line in lines) if amount else None)
        assert sheet.headers.get("sunledger-sum-fen") == (str(resource["sunledger:sum_fen"]) if amount else None)
        for line in lines:
            for name, field in fields.items():
                conforms(field, line[name])


def conforms(field: dict[str, Any], text: str) -> None:
    """Table Schema (datapackage.org): types and constraints that are used here."""
    if text == "":
        assert not field.get("constraints", {}).get("required")
        return
    match field["type"]:
        case "integer":
            int(text)
        case "date":
            date.fromisoformat(text)
        case "boolean":
            assert text in field["trueValues"] + field["falseValues"]
        case "list":
            assert all(text.split(field["delimiter"]))
        case kind:
            assert kind == "string"


async def test_the_catalogue_lists_every_file_with_its_licence(some: Branch, http: httpx.AsyncClient) -> None:
    found = (await http.get("/data/dcat.jsonld")).json()
    assert found["dct:license"] == {"@id": "https://creativecommons.org/licenses/by/4.0/"}
    assert [each["dct:identifier"] for each in found["dcat:dataset"]] == NAMES
    for dataset in found["dcat:dataset"]:
        assert len(dataset["dcat:distribution"]) == len(FILES)
        for each in dataset["dcat:distribution"]:
            answer = await http.get(each["dcat:downloadURL"]["@id"])
            assert answer.status_code == 200
            said = answer.headers["content-type"].partition(";")[0]
            assert each["dcat:mediaType"]["@id"].endswith(f"/media-types/{said}")


async def test_descriptions_as_of_an_entry_stay_what_they_were(some: Branch, http: httpx.AsyncClient) -> None:
    for path in ("/data/datapackage.json", "/data/dcat.jsonld"):
        fresh = await http.get(path)
        pinned = fresh.links["canonical"]["url"]
        await some.gift(77)
        again = await http.get(pinned)
        assert again.content != (await http.get(path)).content
        assert again.content == fresh.content


async def test_a_lineage_report_is_described_where_there_is_one_and_till_then_no_description_is_for_ever(
    some: Branch, http: httpx.AsyncClient
) -> None:
    fresh = [await http.get(path) for path in ("/data/datapackage.json", "/data/dcat.jsonld")]
    paths = [each.links["canonical"]["url"] for each in fresh]
    for has_report in (False, True):
        if has_report:
            await report(some.database)
            await some.gift(1)
        for path in paths:
            answer = await http.get(path)
            assert ("immutable" in answer.headers["cache-control"]) == has_report
            found = answer.json()
            named = [each["name"] for each in found.get("resources", [])] or [
                each["dct:identifier"] for each in found["dcat:dataset"]
            ]
            assert named == ([*NAMES, "lineage"] if has_report else NAMES)
    (resource,) = [each for each in (await http.get(paths[0])).json()["resources"] if each["name"] == "lineage"]
    sheet = [*csv.DictReader(io.StringIO((await http.get(resource["path"])).content.decode("utf-8-sig")))]
    assert resource["sunledger:rows"] == len(sheet) > 0
    assert resource["sunledger:sum_fen"] == sum(int(each["sum_fen"]) for each in sheet)


async def test_an_entry_that_is_not_there_yet_is_described_by_nothing(http: httpx.AsyncClient) -> None:
    for path in ("/data/datapackage.json", "/data/dcat.jsonld"):
        assert (await http.get(f"{path}?as_of=99999")).json()["type"] == "/problems/not-found"


async def test_licence_and_identifiers_are_the_operators(some: Branch, settings: Settings) -> None:
    chosen = {"data_licence": "CC0-1.0", "iati_org": "XI-IATI-X", "giving_prefix": "360G-x"}
    assert settings.database_url is not None
    async with (
        applications.public_resources(settings.model_copy(update=chosen), settings.database_url) as resources,
        visitor(build(resources)) as http,
    ):
        found = (await http.get("/data/dcat.jsonld")).json()
        sheet = await http.get("/api/v1/gifts.parquet")
        package = (await http.get("/data/datapackage.json")).json()
        assert [each["dct:identifier"] for each in found["dcat:dataset"]] == [*NAMES, "iati", "360giving"]
        for dataset in found["dcat:dataset"][-2:]:
            address = dataset["dcat:distribution"][0]["dcat:downloadURL"]["@id"]
            assert (await http.get(address)).status_code == 200
    assert found["dct:license"]["@id"] == package["licenses"][0]["path"]
    assert pq.read_schema(io.BytesIO(sheet.content)).metadata[b"sunledger.licence"] == b"CC0-1.0"
