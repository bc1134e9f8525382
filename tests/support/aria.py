"""The tree that a screen reader is given, as text: role, name and state of what is there, indented as it nests."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.support.browser import Page

_UNSEEN = {
    "DescriptionListDetail", "EmbeddedObject", "Figcaption", "InlineTextBox", "LineBreak", "ListMarker", "SvgRoot",
    "emphasis", "generic", "none", "strong",
}  # fmt: skip
"""Roles that nobody is told of by themselves, and that browsers rename: what they hold is."""

_STATES = ("level", "expanded", "checked", "selected", "pressed", "disabled", "required", "invalid")

_VARIES = (
    (r"\b[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}\b", "‹code›"),
    (r"\bs-[a-z2-7]{13}\b", "‹somebody›"),
    (r"[A-Za-z0-9+/]{43}=", "‹hash›"),
    (r"\b[0-9a-f]{16,64}\b", "‹hash›"),
    (r"\b([a-z_]+)\.[0-9a-f]{12}\.js\b", r"\1.‹hash›.js"),
    (r"\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}", "+‹key›"),
    (r"\+[0-9a-f]{8}\b", "+‹key›"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d", "‹time›"),
    (r"http://127\.0\.0\.1:\d+", "https://‹site›"),
    (r"\d+\.\d\d 秒", "‹n› 秒"),
    (r"\d+ 字节", "‹n› 字节"),
)
"""Random, or of the clock. Business dates are the story's, and stay."""


async def tree_of(page: Page) -> str:
    """Of the page that is open; what differs from run to run is masked."""
    nodes = (await page.send("Accessibility.getFullAXTree"))["nodes"]
    by_id = {node["nodeId"]: node for node in nodes}
    (root,) = [node for node in nodes if "parentId" not in node]
    return masked("".join(f"{line}\n" for line in _lines(root, by_id, "")))


def masked(text: str) -> str:
    """Without what differs from run to run."""
    for pattern, instead in _VARIES:
        text = re.sub(pattern, instead, text)
    return text


def _lines(node: Mapping[str, Any], by_id: Mapping[str, Any], indent: str) -> Iterator[str]:
    role, name = node["role"]["value"], node.get("name", {}).get("value", "").strip()
    below = [by_id[each] for each in node.get("childIds", ()) if each in by_id]
    if node["ignored"] or role in _UNSEEN:
        for each in below:
            yield from _lines(each, by_id, indent)
        return
    if role == "StaticText":
        yield from (f"{indent}{line}" for line in name.splitlines())
        return
    states = {each["name"]: each["value"].get("value") for each in node.get("properties", ())}
    said = [f"{state}={states[state]}" for state in _STATES if states.get(state) not in {None, False, "false"}]
    yield f"{indent}- " + " ".join([role, *([f'"{name}"'] if name else []), *(f"[{each}]" for each in said)])
    told = "".join(_text(each, by_id) for each in below)
    if not name or re.sub(r"\s", "", told) != re.sub(r"\s", "", name) or _holds_more(node, by_id):
        for each in below:
            yield from _lines(each, by_id, f"{indent}  ")


def _text(node: Mapping[str, Any], by_id: Mapping[str, Any]) -> str:
    """All that is written below."""
    if node["role"]["value"] == "StaticText":
        return str(node.get("name", {}).get("value", ""))
    return "".join(_text(by_id[each], by_id) for each in node.get("childIds", ()) if each in by_id)


def _holds_more(node: Mapping[str, Any], by_id: Mapping[str, Any]) -> bool:
    """Whether there is anything but text below: then its name does not say all."""
    below = [by_id[each] for each in node.get("childIds", ()) if each in by_id]
    return any(
        (not each["ignored"] and each["role"]["value"] not in {*_UNSEEN, "StaticText"}) or _holds_more(each, by_id)
        for each in below
    )
