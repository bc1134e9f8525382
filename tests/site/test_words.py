"""Both languages: nothing is said in one only, and each is written as its readers write."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import Environment
from litestar import Litestar

from api.problems import TYPES
from ledger import entries
from ledger.trace import Names
from public_site import words
from public_site.said import KIND_NAMES, said
from public_site.words import CHINESE, ENGLISH, english, words_of

ROOT = Path(words.__file__).parent
TEMPLATES = [*sorted((ROOT / "templates").glob("*.html")), ROOT.parent / "api/reference/reference.html"]
MODULES = sorted(path for path in ROOT.glob("*.py") if path.name not in {"capitals.py", "dossier.py"})
"""The dossier's files are Chinese with an English note: they are kept, and printed, as they were made. Capitals 大写
are Chinese numerals, and have no English."""

HAN = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
BESIDE_HAN = re.compile(r"[\u4e00-\u9fff][,(:;!?]|[,(:;!?)][\u4e00-\u9fff]")
GOLDEN = sorted((ROOT.parent / "tests/rules/golden").glob("*.json"))
NOBODY = Names(organisations={}, funds={}, projects={}, events={})
NAMES_OF_LANGUAGES = {"中文", "账"}


def in_templates() -> Iterator[tuple[str, str]]:
    """(file, text) of every Chinese text in a template's expressions."""
    for path in TEMPLATES:
        for _, kind, value in Environment().lex(path.read_text()):
            if kind == "string" and HAN.search(text := ast.literal_eval(value)):
                yield path.name, text


def in_modules() -> Iterator[tuple[str, str]]:
    """(file, text) of every Chinese text in Python that is no docstring."""
    for path in MODULES:
        tree = ast.parse(path.read_text())
        documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if id(node) in documentation or not isinstance(node, ast.Constant) or not isinstance(node.value, str):
                continue
            if HAN.search(node.value):
                yield path.name, node.value


def in_documents() -> Iterator[tuple[str, str]]:
    """(file, text) of what the interfaces' documents are headed with, and their operations grouped under."""
    for path in (ROOT.parent / "api").rglob("*.py"):
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            named = {each.arg: each.value for each in call.keywords}
            match call.func, named:
                case ast.Name(id="OpenAPIConfig"), _:
                    told = [named[each] for each in ("title", "description") if each in named]
                    yield from ((path.name, str(ast.literal_eval(each))) for each in told)
                case ast.Name(id="writes"), _:
                    yield path.name, f"{ast.literal_eval(call.args[2])}|group"
                case _, {"tags": ast.List(elts=[ast.Constant(value=str(tag))])}:
                    yield path.name, f"{tag}|group"
                case _:
                    pass


def test_no_text_of_a_template_stands_outside_the_catalogue() -> None:
    for path in TEMPLATES:
        for line, kind, value in Environment().lex(path.read_text()):
            assert kind != "data" or not HAN.search(value), f"{path.name}:{line}: {value.strip()[:60]}"


def test_every_text_has_english_and_no_english_is_left_over() -> None:
    used = {text for _, text in (*in_templates(), *in_modules(), *in_documents())}
    assert used - english().keys() == set()
    assert english().keys() - used == set()


def test_english_is_english_and_puts_in_what_chinese_puts_in() -> None:
    for text, translated in english().items():
        for each in [translated] if isinstance(translated, str) else translated:
            assert each
            assert text in NAMES_OF_LANGUAGES or not HAN.search(each), text
            wanted = set(re.findall(r"\{(\w+)\}", text))
            found = set(re.findall(r"\{(\w+)\}", each))
            assert found == wanted or (isinstance(translated, list) and wanted - found == {"n"}), text
        if isinstance(translated, list):
            assert len(translated) == 2, text
            assert "{n}" in text, text


def test_chinese_is_punctuated_as_chinese() -> None:
    for file, text in (*in_templates(), *in_modules()):
        said_alone = re.sub(r"<[^>]*>|\{\w+\}", "", text)
        assert not BESIDE_HAN.search(said_alone), f"{file}: {text}"


def test_the_panels_words_are_the_same_ones_in_both_languages() -> None:
    chinese, translated = ((ROOT / f"static/panel_{each}.js").read_text() for each in ("chinese", "english"))
    assert re.findall(r"^ +(\w+): ", chinese, re.MULTILINE) == re.findall(r"^ +(\w+): ", translated, re.MULTILINE)
    assert not HAN.search(translated)
    for name in ("trace.js", "trail.js", "proof.js"):
        spoken = re.sub(r"^\s*//.*$", "", (ROOT / "static" / name).read_text(), flags=re.MULTILINE)
        assert {*re.findall(r'"[^"]*[\u4e00-\u9fff][^"]*"', spoken)} <= {'" 元"', '"您的 "', '"第 "', '" 条"'}, name


@pytest.mark.parametrize("path", GOLDEN, ids=[path.stem for path in GOLDEN])
@pytest.mark.parametrize("say", [CHINESE, ENGLISH], ids=["zh", "en"])
def test_every_kind_of_entry_is_said_in_both_languages(path: Path, say: words.Words) -> None:
    told = said(entries.decode(path.read_bytes().rstrip(b"\n")), NOBODY, say)
    assert told.tag
    assert told.text
    assert "{" not in told.tag + told.text
    assert say is CHINESE or not HAN.search(told.tag)
    assert told.tone in {"", "ok", "warn"}


def test_every_kind_that_moves_money_has_a_name() -> None:
    moving = {entry.kind for path in GOLDEN if (entry := entries.decode(path.read_bytes().rstrip(b"\n"))).postings}
    assert moving <= KIND_NAMES.keys() <= entries.KINDS.keys()


def test_every_problem_has_a_page_in_both_languages() -> None:
    for kind in TYPES.values():
        assert HAN.search(kind.title)
        assert HAN.search(kind.advice)
        assert not HAN.search(kind.title_en + kind.advice_en)


def test_every_page_stands_at_two_addresses(site_app: Litestar) -> None:
    pages = {path for route in site_app.routes if hasattr(route, "route_handlers") and (path := route.path_format)
             if not path.startswith(("/api/", "/log/", "/static/", "/schema", "/docs/", "/feeds/", "/sitemap",
                                       "/robots.txt", "/healthz", "/readyz", "/data/editions"))
             and not path.endswith((".json", ".jsonld", ".xml"))}  # fmt: skip
    chinese = {path for path in pages if words_of(path)[0] is CHINESE}
    assert {ENGLISH.address(path) for path in chinese} == pages - chinese


def test_the_catalogue_is_sorted_into_files_that_a_reader_of_toml_understands() -> None:
    for path in sorted((ROOT / "english").glob("*.toml")):
        assert tomllib.loads(path.read_text())


@pytest.mark.parametrize(
    ("address", "language", "chinese"),
    [("/", "zh-Hans", "/"), ("/en", "en", "/"), ("/en/gifts", "en", "/gifts"), ("/england", "zh-Hans", "/england")],
)
def test_an_address_says_its_language(address: str, language: str, chinese: str) -> None:
    spoken, path = words_of(address)
    assert (spoken.language, path) == (language, chinese)
    assert spoken.address(path) == address


def test_what_is_put_into_a_page_cannot_be_markup() -> None:
    assert "<b>" not in ENGLISH.html("共 {n} 次更正", n="<b>")
    assert ENGLISH("共 {n} 次更正", n="1") == "1 correction"
    assert ENGLISH("共 {n} 次更正", n="1,000") == "1,000 corrections"
    assert CHINESE("项目|一个") == "项目"
