"""The package as it is built: the site's files are smaller, whole, and still do what they do."""

import gzip
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from public_site import site
from tests.support.package import installed

STATIC = Path(site.__file__).parent / "static"
PROOF = """
import { makeEngine } from "./engine.js";
const browsers = { native: globalThis.crypto, own: undefined };
const said = [];
for (const value of Object.values(browsers)) {
  Object.defineProperty(globalThis, "crypto", { value, configurable: true });
  said.push(Buffer.from(await makeEngine().sha256(new TextEncoder().encode("abc"))).toString("hex"));
}
const exported = {};
for (const name of JSON.parse(process.argv[2])) exported[name] = Object.keys(await import("./" + name)).sort();
console.log(JSON.stringify([said, exported]));
"""
SHA256_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
"""FIPS 180-4."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is installed from a wheel of this tree."""
    return installed(tmp_path_factory.mktemp("package"))


def test_the_package_holds_every_file_of_the_site_under_its_name(built: Path) -> None:
    installed = built / "public_site"
    for path in (each for each in STATIC.parent.rglob("*") if each.is_file() and "__pycache__" not in each.parts):
        assert (installed / path.relative_to(STATIC.parent)).is_file(), path.name
    assert (built / "api/admin/slip.html").is_file()


def test_style_and_modules_are_smaller_and_no_comment_is_left(built: Path) -> None:
    before = after = 0
    for path in (each for each in STATIC.iterdir() if each.suffix in {".css", ".js"}):
        written, made = path.read_bytes(), (built / "public_site/static" / path.name).read_bytes()
        before, after = before + len(gzip.compress(written)), after + len(gzip.compress(made))
        assert len(made) < len(written)
        assert b"/*" not in made
    assert after < 0.85 * before


def test_the_style_keeps_every_rule(built: Path) -> None:
    for path in STATIC.glob("*.css"):
        made = (built / "public_site/static" / path.name).read_text()
        assert made.count("{") == made.count("}") == path.read_text().count("{"), path.name


@pytest.mark.browser
def test_the_modules_still_load_export_and_compute(built: Path) -> None:
    program = shutil.which("node") or shutil.which("nodejs")
    if program is None:
        pytest.skip("NO NODE: the built modules were not run; apt-get install nodejs")
    names = ["engine.js", "own.js", "proof.js", "trail.js"]
    answers: list[list[object]] = []
    for folder in (STATIC, built / "public_site/static"):
        copied = built / f"run-{len(answers)}"
        shutil.copytree(folder, copied)
        (copied / "try.mjs").write_text(PROOF)
        done = subprocess.run(
            [program, str(copied / "try.mjs"), json.dumps(names)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        answers.append(json.loads(done.stdout))
    assert answers[0] == answers[1]
    assert answers[1][0] == [SHA256_ABC] * 2
