"""The demo beside a log in use: whatever the environment says of that one, the demo keeps to its own folder."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from ledger.demo.place import FROM_ENVIRONMENT, make_signing_key, notes, settle, was_cut_short
from ledger.settings import Settings
from ledger.store import keys

IN_USE = "in-use"
"""What every path, address and secret of the log in use names."""


def kinds(field: FieldInfo) -> set[Any]:
    return {field.annotation, *get_args(field.annotation)}


def told(name: str, field: FieldInfo, production: Path) -> str:
    """A value that this setting may have on a server in use, and not its default."""
    if Path in kinds(field):
        return str(production / IN_USE / name)
    if SecretStr in kinds(field):
        return f"{IN_USE} {name}"
    if name.endswith("_url"):
        return (
            f"{'http' if name in {'site_url', 'source_url', 'admin_url'} else 'postgres'}://{IN_USE}.example.org:7777"
        )
    return ""


def values(settings: Settings) -> Iterator[tuple[str, Any]]:
    """Of all settings, and of all that are worked out of them."""
    yield from settings.model_dump().items()
    yield from ((name, getattr(settings, name)) for name, each in vars(Settings).items() if isinstance(each, property))


@pytest.fixture
def in_use(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    """The settings of a log in use, as the environment gives them."""
    for name, field in Settings.model_fields.items():
        if value := told(name, field, tmp_path):
            monkeypatch.setenv(f"SUNLEDGER_{name.upper()}", value)
    (tmp_path / IN_USE).mkdir()
    (tmp_path / IN_USE / "signing_passphrase_file").write_text(f"{IN_USE} passphrase")
    monkeypatch.setenv("SUNLEDGER_LOG", "in_use")
    monkeypatch.setenv("SUNLEDGER_WITNESS_REQUIRED", "true")
    monkeypatch.setenv("SUNLEDGER_PUBLIC_WORKERS", "4")
    monkeypatch.setenv("SUNLEDGER_PUBLIC_PORT", "8123")
    monkeypatch.setenv("SUNLEDGER_CONTACT", "tell@example.org")
    return Settings()


def test_no_path_address_or_secret_of_the_log_in_use_reaches_the_demo(in_use: Settings) -> None:
    place = in_use.data_dir / "demo"
    demo = settle(in_use)
    make_signing_key(demo)
    for name, value in values(demo):
        if isinstance(value, Path):
            assert value == place or place in value.parents, name
        else:
            assert IN_USE not in repr(value.get_secret_value() if isinstance(value, SecretStr) else value), name
    assert (demo.log, demo.public_workers, demo.witness_required) == ("demo", 1, False)


def test_what_the_demo_takes_from_the_environment_is_no_path_address_or_secret(tmp_path: Path) -> None:
    assert Settings.model_fields.keys() >= FROM_ENVIRONMENT
    for name in FROM_ENVIRONMENT:
        assert not told(name, Settings.model_fields[name], tmp_path), name


def test_where_it_listens_and_whom_it_names_may_be_chosen(in_use: Settings) -> None:
    demo = settle(in_use)
    assert (demo.public_port, demo.contact) == (8123, "tell@example.org")
    assert demo.site == "http://127.0.0.1:8123"


def test_keys_and_erasures_of_the_log_in_use_are_not_touched(in_use: Settings, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in (tmp_path / IN_USE).rglob("*") if path.is_file()}
    demo = settle(in_use)
    keys.create(demo.keys, demo.lookup)
    make_signing_key(demo)
    make_signing_key(demo)  # another day
    after = {path: path.read_bytes() for path in (tmp_path / IN_USE).rglob("*") if path.is_file()}
    made = set(after) - set(before)
    assert {path: after[path] for path in before} == before
    assert all(in_use.data_dir / "demo" in path.parents for path in made)
    assert demo.signing in made


def test_a_story_without_its_notes_was_cut_short_and_a_folder_that_no_demo_made_is_not_taken_for_one(
    tmp_path: Path,
) -> None:
    demo = settle(Settings(data_dir=tmp_path))
    keys.create(demo.keys, demo.lookup)  # as any log has them
    demo.cluster.mkdir()
    assert not was_cut_short(demo)
    make_signing_key(demo)
    assert was_cut_short(demo)
    notes(demo).touch()
    assert not was_cut_short(demo)
