"""Reading pages of data as a journalist does: the line above the rows, the rows, where links go."""

import html
import re

from public_site import messages


def text(page: str) -> str:
    """What is read."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page)))


def links(page: str, mark: str) -> list[str]:
    """Where those go that carry the mark."""
    return [html.unescape(each) for each in re.findall(rf'<a {mark}href="([^"]+)"', page)]


def shown(page: str) -> tuple[int, int]:
    """Count and fen of the line above the rows."""
    found = re.search(r'role="status"><b>([\d,]+) 条</b>，(?:收回)?共 ¥([\d,.]+)<', page)
    assert found, text(page)
    return int(found[1].replace(",", "")), messages.fen(found[2])


def amounts(page: str) -> list[int]:
    """Of the rows, in fen."""
    body = page.partition("<tbody")[2].partition("</tbody>")[0]
    return [messages.fen(each) for each in re.findall(r'class="num"[^>]*>¥([\d,.]+)<', body)]


def download(page: str, name: str) -> str:
    """The address behind a button."""
    found = re.search(rf'<a href="([^"]+)"><b>{name}</b>', page)
    assert found
    return html.unescape(found[1])
