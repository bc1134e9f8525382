"""The examples of both interfaces' documents, which their own pages offer to whoever tries them: they work."""

import jsonschema
from litestar import Litestar
from schemathesis.specs.openapi.definitions import OPENAPI_31

from tests.api.conftest import Told
from tests.support.asked import operations, send
from tests.support.office import Office
from tests.support.visitor import visitor

NOT_FOUND, CLOSED, UNKNOWN = "not-found", "closed", "unknown-reference"
REFUSED_IN_PUBLIC = {"get_stamp": NOT_FOUND}
"""Operation → why its example finds nothing: the story has no timestamp, which needs an authority outside."""

BY_CODE = {"trace_by_code", "receipt_by_code", "dossier_by_code"}
"""These take a code, which is drawn at random wherever the story is told: an example shows what one looks like."""

REFUSED_TO_STAFF = {
    "close_fund": "not-empty",
    "close_project": "not-empty",
    "dismiss_staff": UNKNOWN,
    "receive_right_gift": "already-recorded",
    "receive_transfer": "invalid-value",
    "return_transfer": "nothing-left",
    "stamp_checkpoint": "invalid-value",
    "approve_proposal": CLOSED,
    "reject_proposal": CLOSED,
    "withdraw_proposal": CLOSED,
    "expire_proposal": CLOSED,
    "get_check": UNKNOWN,
    "get_proposed_check": NOT_FOUND,
    "get_proposed_rejected": NOT_FOUND,
    "check_sheet": UNKNOWN,
    "get_rejected": UNKNOWN,
    "get_import": NOT_FOUND,
    "get_refused": NOT_FOUND,
    "abandon_import": "import-mismatch",
    "get_import_codes": NOT_FOUND,
}
"""Operation → problem: at the story's end every proposal is decided, every transfer and correction has its answer, no
sheet was handed in, who was enrolled waits for a second person, and what is to be closed is in use. What is sent is
read, and refused by the rules alone."""


async def test_every_public_question_is_answered_with_its_own_examples(public: Told) -> None:
    asked = await operations(public.http)
    assert len(asked) > 60
    for is_whole in (True, False):
        refused = {}
        for each in asked:
            answer = await send(public.http, each, is_whole=is_whole)
            if each.id in BY_CODE:
                assert answer.json()["type"] == "/problems/receipt-not-found"
                answer = await send(public.http, each, is_whole=is_whole, code=public.code)
                assert (answer.headers["cache-control"], "etag" in answer.headers) == ("no-store", False)
            if answer.status_code != 200:
                refused[each.id] = answer.json()["type"].removeprefix("/problems/")
        assert refused == REFUSED_IN_PUBLIC


async def test_what_staff_send_as_the_document_shows_it_is_entered(signed: Office) -> None:
    """In the document's order: the fund that is opened, the person who is enrolled, are there for what comes after."""
    asked = await operations(signed.http)
    assert len(asked) > 60
    refused = {}
    for number, each in enumerate(asked):
        answers = []
        for who in ("administrator", "maker"):  # neither may do everything
            signed.http.headers.update({**signed.headers(who), "Idempotency-Key": f"{number} {who}"})
            answers.append(await send(signed.http, each, is_whole=True))
        if not any(answer.is_success for answer in answers):
            refused[each.id] = answers[-1].json()["type"].removeprefix("/problems/")
    assert refused == REFUSED_TO_STAFF


async def test_both_documents_are_as_openapi_wants_them(applications: dict[str, Litestar]) -> None:
    for app in applications.values():
        async with visitor(app) as http:
            document = (await http.get("/schema/openapi.json")).json()
        jsonschema.Draft202012Validator(OPENAPI_31).validate(document)
