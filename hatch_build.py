"""A built package carries the site's style and modules made smaller. A checkout serves them as they are written."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

STATIC = "public_site/static"


class SmallerFiles(BuildHookInterface):
    """Puts each file in under its own name: whoever serves them cannot tell, and need not."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Before the wheel is written; of an editable install there is nothing to make."""
        if version == "editable":
            return
        from rcssmin import cssmin  # noqa: PLC0415  an editable install does without
        from rjsmin import jsmin  # noqa: PLC0415

        self._made = TemporaryDirectory()
        for path in sorted((Path(self.root) / STATIC).iterdir()):
            smaller = {".css": cssmin, ".js": jsmin}.get(path.suffix)
            if smaller is not None:
                written = Path(self._made.name) / path.name
                written.write_text(smaller(path.read_text()))
                build_data["force_include"][str(written)] = f"{STATIC}/{path.name}"

    def finalize(self, version: str, _build_data: dict[str, Any], _artifact_path: str) -> None:
        """After it was written."""
        if version != "editable":
            self._made.cleanup()
