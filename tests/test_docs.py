"""The documentation, compared with what it describes. What is not documented fails here; so does what is not there."""

import hmac
import re
import subprocess
import tomllib
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer.main

from api.problems import TYPES
from ledger import cli, entries, periods, privacy, refusals
from ledger.imports.fault import Fault, Reason
from ledger.log.checkpoint import Checkpoint
from ledger.privacy import ChannelRecord, FiscalNumbers, Identity
from ledger.roles import REQUIRED, Role
from ledger.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
DOCS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
DECISIONS = sorted((ROOT / "docs/decisions").glob("0*.md"))
_CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_TESTS = re.compile(r"^\s*(?:async )?def (test_\w+)\(", re.MULTILINE)


def page(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text()


def rows(text: str) -> Iterator[list[str]]:
    """The rows of every table."""
    for line in text.splitlines():
        if line.startswith("|"):
            yield [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def sections(text: str, mark: str) -> dict[str, str]:
    """Heading → what stands under it, up to the next of its depth."""
    parts = re.split(rf"^{mark} (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def ids(documents: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in documents]


# --- settings ---


def test_every_setting_is_documented_with_its_default() -> None:
    said = {row[0].strip("`"): row[1].strip("`") for row in rows(page("settings")) if len(row) == 3}
    for name, field in Settings.model_fields.items():
        default = "none" if field.default is None else str(field.default)
        assert said.get(f"SUNLEDGER_{name.upper()}") == default, name


@pytest.mark.parametrize("document", DOCS, ids=ids(DOCS))
def test_every_variable_that_is_named_is_read_somewhere(document: Path) -> None:
    known = {f"SUNLEDGER_{name.upper()}" for name in Settings.model_fields}
    for name in set(re.findall(r"\bSUNLEDGER_[A-Z_]+\b", document.read_text())) - known:
        found = subprocess.run(
            ["grep", "-rlw", "--include=*.py", name, "ledger", "tests/support", "tests/conftest.py"],
            cwd=ROOT,
            capture_output=True,
            check=False,
        )
        assert found.returncode == 0, name


# --- entries ---


def test_every_kind_of_entry_is_documented_field_by_field() -> None:
    found = {
        heading.split("`")[1]: [row for row in rows(text) if row[0].startswith("`")]
        for heading, text in sections(page("entries"), "###").items()
    }
    assert found.keys() == entries.KINDS.keys()
    for kind, body in entries.KINDS.items():
        fields = {field.name: field for field in msgspec.structs.fields(body)}
        assert {row[0].strip("`") for row in found[kind]} == fields.keys(), kind
        for name, kind_of_value, default, meaning in found[kind]:
            field = fields[name.strip("`")]
            assert (default == "") is field.required, (kind, name)
            assert kind_of_value.startswith(_json_type(field.type)), (kind, name)
            assert meaning, (kind, name)


def test_what_every_entry_has_is_documented() -> None:
    first = sections(page("entries"), "##")["What every entry has"]
    said = {row[0].strip("`") for row in rows(first)}
    assert set(entries.Entry.__struct_fields__) <= said


def _json_type(kind: Any) -> str:
    """The JSON type of a field."""
    match msgspec.inspect.type_info(kind):
        case msgspec.inspect.IntType():
            return "integer"
        case msgspec.inspect.BoolType():
            return "boolean"
        case msgspec.inspect.VarTupleType():
            return "array"
        case msgspec.inspect.StructType():
            return "object"
        case _:
            return "string"


# --- roles, problems ---


def test_the_table_of_required_roles_is_the_one_in_force() -> None:
    said = {row[0].strip("`"): row[1:] for row in rows(page("roles")) if len(row) == 4}
    for kind, required in REQUIRED.items():
        maker, checker, approvals = said[kind]
        assert re.findall(r"`(\w+)`", maker) == [*required.maker]
        assert re.findall(r"`(\w+)`", checker) == [*required.checker]
        assert int(approvals) == required.approvals


def test_every_role_is_documented() -> None:
    said = {row[0].strip("`"): row for row in rows(page("roles")) if len(row) == 3}
    for role in Role:
        assert all(said[role])


def test_every_problem_is_documented_as_its_page_says_it() -> None:
    said = {row[0].strip("`"): row for row in rows(page("problems")) if len(row) == 5}
    assert {f"/problems/{slug}" for slug in {*TYPES, *(kind.slug for kind in refusals.every())}} == {
        slug for slug in said if slug.startswith("/")
    }
    for slug, kind in TYPES.items():
        _, status, title, meaning, advice = said[f"/problems/{slug}"]
        assert (int(status), title, meaning, advice) == (kind.status, kind.title, f"{kind.title_en}.", kind.advice_en)


def test_every_refusal_is_documented() -> None:
    said = {row[0].strip("`"): row[1].strip("`") for row in rows(page("problems")) if len(row) == 3}
    for kind in refusals.every():
        assert said[kind.__name__] == f"/problems/{kind.slug}"


def test_every_reason_to_refuse_a_row_or_a_sheet_is_documented() -> None:
    said = {row[0].strip("`"): row[1:] for row in rows(page("problems")) if len(row) == 3}
    for each in (*Reason, *Fault):
        assert said[each.value] == [each.zh, each.en]


# --- the command line ---


def test_every_command_and_option_is_documented_with_its_help() -> None:
    text = page("cli")
    documented = {" ".join(name.split()) for name in re.findall(r"^##+ `(sunledger[a-z ]*[a-z])", text, re.MULTILINE)}
    commands = dict(_commands("sunledger", typer.main.get_command(cli.app)))
    assert documented == commands.keys()
    for name, command in commands.items():
        section = re.split(rf"^##+ `{name}[ `]", text, flags=re.MULTILINE)[1]
        section = re.split(r"^##+ `", section, flags=re.MULTILINE)[0]
        assert " ".join(command.help.split()) in " ".join(section.split()), name
        said = {cell: row for row in rows(section) for cell in re.findall(r"[^`, ]+", row[0])}
        for parameter in command.params:
            if parameter.name == "help":
                continue
            is_option = parameter.param_type_name == "option"
            for option in parameter.opts if is_option else [parameter.name.upper()]:
                assert parameter.help.rstrip(".") in said[option][2], (name, option)
                assert (said[option][1] == "required") is parameter.required, (name, option)


def _commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    for word, each in command.commands.items():
        yield f"{name} {word}", each
        if hasattr(each, "commands"):
            yield from _commands(f"{name} {word}", each)


# --- rules ---


def test_the_rules_name_tests_constraints_and_refusals_that_exist() -> None:
    text = page("rules")
    tests = {name for path in (ROOT / "tests").rglob("*.py") for name in _TESTS.findall(path.read_text())}
    assert set(re.findall(r"`(test_\w+)`", text)) <= tests
    migrations = "\n".join(path.read_text() for path in (ROOT / "migrations/versions").glob("*.py"))
    for name in re.findall(r"`((?:entry|gift|import_batch|line|posting)_\w+)`", text):
        assert name in migrations, name
    kinds = {kind.__name__ for kind in refusals.every()}
    assert set(re.findall(r"`([A-Z][A-Za-z]+)`", text)) <= kinds


def test_every_rule_names_its_source_its_refusal_and_its_test_and_every_refusal_has_a_rule() -> None:
    text = page("rules")
    for rule, said in sections(text, "###").items():
        if rule == "What is not checked yet":
            continue
        assert re.search(r"^Source: \w", said, re.MULTILINE), rule
        assert re.search(r"\b(?:Refusal|Answer|Database):\s+\S", said), rule
        assert re.search(r"^Tests: `test_", said, re.MULTILINE), rule
    for kind in refusals.every():
        if kind.slug not in {"refused", "sheet-unreadable"}:
            assert f"`{kind.__name__}`" in text, kind


def test_every_invariant_of_the_histories_is_named_and_there_are_more_than_twenty() -> None:
    files = [*(ROOT / "tests/rules/histories").glob("*.py"), ROOT / "tests/verify/test_histories.py"]
    checked = re.findall(r"@invariant\(\)\n    def (\w+)\(", "".join(path.read_text() for path in files))
    said = {row[0].strip("`"): row[1] for row in rows(page("invariants")) if row[0].startswith("`")}
    assert sorted(checked) == sorted(said)
    assert len(checked) > 20
    assert all(said.values())


# --- formats ---


def test_the_examples_of_the_formats_are_right() -> None:
    examples = {
        heading: dict(line.split(maxsplit=1) for line in block.splitlines())
        for heading, text in sections(page("formats"), "##").items()
        for block in re.findall(r"```text\n(\w+ +[^=\n]+\n.*?)```", text, re.DOTALL)
    }
    assert len(examples) == 10
    said = examples["Channel reference"]
    text = f"{said['org']}\n{said['channel']}\n{said['reference']}".encode()
    assert said["ref"] == hmac.digest(bytes.fromhex(said["key"]), text, "sha256").hex()
    assert said["ref"] == privacy.reference(bytes.fromhex(said["key"]), said["org"], said["channel"], said["reference"])
    said = examples["Receipt code"]
    assert said["code"] == privacy.code_of([int(symbol) for symbol in said["symbols"].split()])
    assert said["printed"] == privacy.printed(said["code"])
    said = examples["Receipt commitment"]
    assert said["receipt"] == _digest("receipt", said["prev"], said["code"])
    assert said["receipt"] == privacy.receipt_commitment(said["prev"], said["code"])
    said = examples["Fiscal commitment"]
    assert said["commitment"] == _digest("fiscal", said["salt"], said["record"])
    numbers = FiscalNumbers(**msgspec.json.decode(said["record"]))
    assert said["commitment"] == privacy.fiscal_commitment(numbers, bytes.fromhex(said["salt"]))
    said = examples["Agreement commitment"]
    assert said["agreement"] == _digest("agreement", said["salt"], said["sha256"])
    assert said["agreement"] == privacy.agreement_commitment(said["sha256"], bytes.fromhex(said["salt"]))
    said = examples["Proposal commitment"]
    assert said["commitment"] == _digest("proposal", said["salt"], said["body"])
    body = entries.MoneyAllocated(**msgspec.json.decode(said["body"]))
    assert said["commitment"] == entries.commitment(body, said["salt"])
    said = examples["Trial balance"]
    assert said["root"] == _digest("trial-balance", said["org"], said["last_on"], said["rows"])
    assert said["root"] == periods.root(said["org"], said["last_on"], msgspec.json.decode(said["rows"]))
    said = examples["Timestamp over a checkpoint"]
    text = f"{said['origin']}\n{said['size']}\n{b64encode(bytes.fromhex(said['root'])).decode()}\n".encode()
    assert said["imprint"] == sha256(text).hexdigest()
    assert text == Checkpoint(origin=said["origin"], size=int(said["size"]), root=bytes.fromhex(said["root"])).text
    said = examples["File commitment"]
    assert said["sha256"] == sha256(f"{said['file']}\n".encode()).hexdigest()
    assert said["commitment"] == _digest("file", said["salt"], said["sha256"])


def test_the_example_of_a_donor_is_right() -> None:
    text = sections(page("formats"), "##")["Donor commitment"]
    (block,) = re.findall(r"```text\n(identity +\{.*?)```", text, re.DOTALL)
    lines = [line.split(maxsplit=1) for line in block.splitlines()]
    (_, identity), (_, salt), (_, digest), (_, channel), (_, other_salt), (_, other_digest), (_, donor) = lines
    assert digest == _digest("identity", salt, identity)
    assert other_digest == _digest("channel", other_salt, channel)
    assert donor == _digest("donor", digest, other_digest)
    given = privacy.identity_digest(Identity(**msgspec.json.decode(identity)), bytes.fromhex(salt))
    came = privacy.channel_digest(ChannelRecord(**msgspec.json.decode(channel)), bytes.fromhex(other_salt))
    assert (given.hex(), came.hex()) == (digest, other_digest)
    assert privacy.donor_commitment(given, came) == donor


def _digest(what: str, *lines: str) -> str:
    """As the page says it, without our own code."""
    return sha256("".join(f"{line}\n" for line in (f"sunledger/{what}/1", *lines)).encode()).hexdigest()


# --- all pages ---


@pytest.mark.parametrize("document", DOCS, ids=ids(DOCS))
def test_links_lead_somewhere(document: Path) -> None:
    text = re.sub(r"`[^`\n]*`", "", _CODE.sub("", document.read_text()))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = (document.parent / name).resolve() if name else document
        assert path.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", _CODE.sub("", path.read_text()), re.MULTILINE)
            assert anchor in {_anchor(heading) for heading in headings}, target


@pytest.mark.parametrize("document", DOCS, ids=ids(DOCS))
def test_files_and_make_targets_that_are_named_exist(document: Path) -> None:
    text = document.read_text()
    for name in re.findall(r"`((?:api|ledger|migrations|public_site|tests|docs)/[\w./-]*)`", text):
        assert (ROOT / name).exists(), name
    targets = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for name in re.findall(r"(?:`|^)make ([a-z][\w-]*)", text, re.MULTILINE):
        assert name in targets, name


def test_every_decision_is_listed_and_says_what_a_decision_says() -> None:
    listed = re.findall(r"\]\((0\S+)\)", (ROOT / "docs/decisions/README.md").read_text())
    assert listed == [path.name for path in DECISIONS]
    for number, path in enumerate(DECISIONS, 1):
        text = path.read_text()
        assert text.startswith(f"# {number}. ")
        said = re.findall(r"^\*\*(\w+)\.\*\* ", text, re.MULTILINE)
        assert said == ["Context", "Decision", "Consequences", "Alternatives"], path.name


def test_the_glossary_names_kinds_and_roles_that_exist() -> None:
    text = page("glossary")
    known = {*entries.KINDS, *Settings.model_fields}
    for name in re.findall(r"`([a-z]+\.[a-z]+)`", text):
        assert name in known, name
    for kind in entries.KINDS:
        if kind.startswith(("money.", "proposal.", "delivery.", "feedback.", "gift.")):
            assert f"`{kind}`" in text, kind


def _anchor(heading: str) -> str:
    """As the usual renderers make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


# --- house rules ---


def test_every_rule_is_held_to_purity() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    pure = set(contracts[0]["source_modules"])
    impure = {f"ledger.{each}" for each in ("__main__", "cli", "collector", "demo", "import_client", "settings")}
    impure |= {
        f"ledger.{each}_command"
        for each in ("import", "keygen", "mirror", "monitor", "server", "stamp", "token", "verify", "witness")
    }
    files = {f"ledger.{path.stem}" for path in (ROOT / "ledger").glob("*.py")} - {"ledger.__init__"}
    assert pure - files == {"ledger.bodies"}  # a folder of files
    assert files - pure <= impure


def test_all_sql_stands_in_the_store() -> None:
    doors = [*(ROOT / "api").rglob("*.py"), *(ROOT / "public_site").rglob("*.py"), *(ROOT / "ledger").glob("*.py")]
    for path in doors:
        found = re.search(
            r"\.(fetch|fetchval|fetchrow|execute|executemany|exec)\(|import .*\bselect\b", path.read_text()
        )
        assert found is None, f"{path.relative_to(ROOT)}: {found[0]}"


def test_ci_runs_what_exists_and_lets_no_test_skip_itself() -> None:
    script = (ROOT / ".ci/run").read_text()
    assert (ROOT / ".ci/run").stat().st_mode & 0o111
    assert "set -euo pipefail" in script
    assert "export SUNLEDGER_NO_SKIPS=1" in script
    made = re.findall(r"^make ([a-z ]+?)(?: [>|].*)?$", script, re.MULTILINE)
    assert made == ["install", "lint types contracts", "test"]
    assert all(f'wait "${each}" ||' in script for each in re.findall(r"^(\w+)=\$!$", script, re.MULTILINE))
    for path in re.findall(r"\btests/[\w./]+", script):
        assert (ROOT / path).exists(), path
