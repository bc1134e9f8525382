"""What holds for every public address: headers, HEAD, problems, the document that describes them."""

import json
import re
from typing import Any

import httpx
from litestar import Litestar

from api.problems import TYPES
from ledger.settings import Settings
from tests.api.public.test_limits import HOME, WRONG, at, worker
from tests.support.acting import acting_as_superuser
from tests.support.branch import Branch

HTML = {"Accept": "text/html"}


def paths(app: Litestar, *, project: str = "relief") -> list[str]:
    """Every GET address, with things that exist in its places."""
    given = {
        "seq": "0",
        "org": "330800",
        "fund": "flood",
        "project": project,
        "slug": "too-large",
        "campaign": "none",
        "year": "2026",
    }
    gets = [route.path for route in app.routes if "GET" in route.methods and "{path" not in route.path]
    return [re.sub(r"{(\w+):\w+}", lambda match: given[match[1]], path) for path in gets if "{name" not in path]


async def test_head_is_get_without_the_body(app: Litestar, http: httpx.AsyncClient) -> None:
    for path in paths(app):
        got, head = await http.get(path), await http.head(path)
        assert (head.status_code, head.content) == (got.status_code, b""), path
        vary = {"x-request-id", "date"}
        # Told by the file alone, which HEAD does not build (RFC 9110, 9.3.2).
        if path.endswith((".parquet", ".xlsx", ".sha256")):
            vary |= {"content-length", "etag", "repr-digest"}
        assert {k: v for k, v in head.headers.items() if k not in vary} == {
            k: v for k, v in got.headers.items() if k not in vary
        }
    assert (await http.head("/api/v1/trace")).status_code == 405


async def test_what_a_door_of_the_interface_does_not_know_narrows_nothing_in_silence(
    app: Litestar, http: httpx.AsyncClient
) -> None:
    gets = {path for path, item in (app.openapi_schema.paths or {}).items() if item.get is not None}
    doors = [path for path in gets if path.startswith(("/api/", "/data/"))]
    assert len(doors) > 40
    for path in doors:
        there = re.sub(r"{\w+}", "1", path)
        for method in ("GET", "HEAD"):
            answer = await http.request(method, f"{there}?as_0f=3&Limit=2")
            assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json"), path
    for path, name in (
        ("/api/v1/payments", "channel"),
        ("/api/v1/corrections.csv", "fund"),
        ("/api/v1/funds/1/1", "q"),
    ):
        said = (await http.get(f"{path}?{name}=wechat")).json()
        assert (said["type"], [each["field"] for each in said["errors"]]) == ("/problems/invalid-request", [name])
    # What messengers and feed readers append to links must not break them.
    for path in ("/", "/data", "/log/checkpoint", "/feeds/corrections", "/api/v1/payments"):
        more = "limit=50" if "api" in path else "from=timeline"
        plain, shared = [await http.get(each) for each in (path, f"{path}?{more}")]
        assert shared.status_code == plain.status_code, path


async def test_every_answer_protects_its_reader(app: Litestar, http: httpx.AsyncClient) -> None:
    answers = [await http.get(path) for path in (*paths(app), "/nowhere", "/static/none.css")]
    answers += [await http.post("/trace"), await http.put("/"), await http.post("/api/v1/trace", content=b"{")]
    for answer in answers:
        assert answer.headers["content-security-policy"].startswith(
            "default-src 'none'; script-src 'self'; style-src 'self'"
        )
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"]
        assert answer.headers["x-request-id"]


async def test_every_kind_of_problem_has_its_page(http: httpx.AsyncClient) -> None:
    listed = (await http.get("/problems")).text
    for slug, kind in TYPES.items():
        assert f'href="/problems/{slug}"' in listed
        for address, said in ((f"/problems/{slug}", kind.title), (f"/en/problems/{slug}", kind.title_en)):
            page = await http.get(address)
            assert page.status_code == 200
            assert said.replace("'", "&#39;") in page.text
    assert (await http.get("/problems/nothing-like-it")).status_code == 404


async def test_a_problem_is_a_page_for_people_and_json_for_machines(http: httpx.AsyncClient) -> None:
    for path in ("/nowhere", "/problems/none", "/static/none"):
        page = await http.get(path, headers=HTML)
        assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert "请核对地址或编号" in page.text
        assert (await http.get(path)).json()["type"] == "/problems/not-found"
    answer = await http.get("/api/v1/entries/999999", headers=HTML)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await http.get("/trace", headers=HTML)).status_code == 405


async def test_the_document_describes_what_is_there(http: httpx.AsyncClient) -> None:
    answer = await http.get("/schema/openapi.json")
    document: dict[str, Any] = answer.json()
    operations = {
        operation["operationId"]: (path, operation)
        for path, methods in document["paths"].items()
        for operation in methods.values()
    }
    assert sorted(operations) == [
        "corrections_feed",
        "dossier_by_code",
        "download_allocations",
        "download_allocations_ndjson",
        "download_allocations_parquet",
        "download_allocations_sha256",
        "download_allocations_xlsx",
        "download_campaigns",
        "download_corrections",
        "download_corrections_ndjson",
        "download_corrections_parquet",
        "download_corrections_sha256",
        "download_corrections_xlsx",
        "download_events",
        "download_funds",
        "download_gifts",
        "download_gifts_ndjson",
        "download_gifts_parquet",
        "download_gifts_sha256",
        "download_gifts_xlsx",
        "download_lineage",
        "download_lineage_ndjson",
        "download_lineage_parquet",
        "download_lineage_sha256",
        "download_lineage_xlsx",
        "download_organisations",
        "download_payments",
        "download_payments_ndjson",
        "download_payments_parquet",
        "download_payments_sha256",
        "download_payments_xlsx",
        "download_projects",
        "download_registers_campaigns",
        "download_registers_campaigns_ndjson",
        "download_registers_campaigns_parquet",
        "download_registers_campaigns_sha256",
        "download_registers_campaigns_xlsx",
        "download_registers_events",
        "download_registers_events_ndjson",
        "download_registers_events_parquet",
        "download_registers_events_sha256",
        "download_registers_events_xlsx",
        "download_registers_funds",
        "download_registers_funds_ndjson",
        "download_registers_funds_parquet",
        "download_registers_funds_sha256",
        "download_registers_funds_xlsx",
        "download_registers_organisations",
        "download_registers_organisations_ndjson",
        "download_registers_organisations_parquet",
        "download_registers_organisations_sha256",
        "download_registers_organisations_xlsx",
        "download_registers_projects",
        "download_registers_projects_ndjson",
        "download_registers_projects_parquet",
        "download_registers_projects_sha256",
        "download_registers_projects_xlsx",
        "download_transfers",
        "download_transfers_ndjson",
        "download_transfers_parquet",
        "download_transfers_sha256",
        "download_transfers_xlsx",
        "get_360giving",
        "get_balance",
        "get_campaign",
        "get_catalogue",
        "get_checkpoint",
        "get_compact_receipt",
        "get_consistency",
        "get_datapackage",
        "get_edition_file",
        "get_entry",
        "get_entry_bytes",
        "get_entry_citations",
        "get_entry_sources",
        "get_fen",
        "get_figures",
        "get_figures_csv",
        "get_first_checkpoint",
        "get_flow",
        "get_flow_csv",
        "get_fund",
        "get_fund_costs",
        "get_iati_activities",
        "get_organisation",
        "get_policy",
        "get_project",
        "get_proof",
        "get_receipt",
        "get_stamp",
        "get_tile",
        "get_trial_balance",
        "get_vkey",
        "get_witnesses",
        "get_year",
        "healthz",
        "list_allocations",
        "list_campaigns",
        "list_checkpoints",
        "list_corrections",
        "list_editions",
        "list_events",
        "list_fund_news",
        "list_funds",
        "list_gifts",
        "list_imports",
        "list_news",
        "list_organisation_news",
        "list_organisations",
        "list_payments",
        "list_periods",
        "list_pledges",
        "list_project_news",
        "list_projects",
        "list_stamps",
        "list_transfers",
        "organisation_feed",
        "project_feed",
        "readyz",
        "receipt_by_code",
        "search",
        "trace_by_code",
        "trace_by_fiscal_receipt",
        "trace_of_entry",
        "trace_of_entry_csv",
    ]
    for path, operation in operations.values():
        assert re.search("[一-鿿]", operation["summary"]), path
        assert operation["description"], path
        for status, response in operation["responses"].items():
            for media_type in response.get("content", {}):
                assert (media_type == "application/problem+json") == (status >= "400"), path
    for name, shape in document["components"]["schemas"].items():
        for field, described in shape.get("properties", {}).items():
            assert described.get("description") or "$ref" in described, f"{name}.{field}"
    assert "http" not in json.dumps(document["info"])


async def test_no_viewer_comes_from_elsewhere(http: httpx.AsyncClient) -> None:
    for path in ("/schema", "/schema/", "/schema/swagger", "/schema/redoc", "/schema/elements", "/schema/rapidoc"):
        assert "://" not in (await http.get(path, headers=HTML)).text


async def test_a_method_that_is_not_there_is_a_problem(http: httpx.AsyncClient) -> None:
    for method in ("PUT", "PATCH", "DELETE"):
        answer = await http.request(method, "/api/v1/funds")
        assert (answer.status_code, answer.json()["type"]) == (405, "/problems/method-not-allowed")
        assert "GET" in answer.headers["allow"]


async def contents(settings: Settings) -> dict[str, object]:
    """Of every table but the one of visits, and of every sequence."""
    async with acting_as_superuser(settings) as connection:
        named = await connection.fetch(
            "select format('%I.%I', schemaname, tablename) from pg_tables"
            " where schemaname !~ '^pg_|^information_schema$' and tablename <> 'visit'"
        )
        rows = "select count(*), md5(string_agg(each::text, e'\\n' order by each::text)) from {} each"
        found: dict[str, object] = {name: await connection.fetchrow(rows.format(name)) for (name,) in named}
        return found | {"sequences": await connection.fetch("select * from pg_sequences order by 1, 2")}


async def test_the_public_application_writes_nothing_but_visits(branch: Branch, settings: Settings) -> None:
    given = await branch.gift(50_000)
    fiscal = {"code": "33080126", "number": "0000000001", "check_code": "abcdef"}
    async with worker(settings, requests_per_minute=1_000, failures_per_hour=1_000, failures_per_code=1_000) as app:
        before = await contents(settings)
        async with at(app, HOME) as http:
            for path in paths(app):
                assert (await http.get(path)).status_code < 500, path
            posts = {route.path for route in app.routes if "POST" in route.methods}
            assert len(posts) > 6
            for path in posts:
                for code in (given.code, WRONG):
                    asked = {**fiscal, "amount_fen": 50_000} if path.endswith("fiscal") else {"code": code}
                    form = {**fiscal, "amount": "500"} if path.endswith("fiscal") else {"code": code}
                    body: dict[str, Any] = {"json": asked} if path.startswith("/api/") else {"data": form}
                    assert (await http.post(path, **body)).status_code in {200, 404, 503}, path
        async with acting_as_superuser(settings) as connection:
            assert await connection.fetchval("select count(*) from visit") > 2, "these are what it writes"
    assert await contents(settings) == before
    assert len(before) > 20
    await branch.gift(1)
    assert await contents(settings) != before, "it would have been seen"
