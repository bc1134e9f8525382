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


def pairs(page: str) -> dict[str, int]:
    """What stands beside its name, in fen."""
    found = re.findall(r"<dt>(.*?)</dt><dd>(−?¥[\d,.]+)", page)
    return {text(label): fen(shown) for label, shown in found}


def equation(page: str) -> tuple[dict[str, int], dict[str, int]]:
    """Both sides of the line that adds up: what came, what became of it. The sums are equal, or it is none."""
    lines = [each for each in re.findall(r'<p class="balance">(.*?)</p>', page, re.DOTALL) if "账目相符" in each]
    assert len(lines) == 1, lines
    came, went = (
        {label: fen(shown) for label, shown in re.findall(r"(\S+) (−?¥[\d,]+\.\d\d)", text(side))}
        for side in lines[0].split(" = ")
    )
    assert sum(came.values()) == sum(went.values()), lines
    return came, went


def rows(page: str) -> list[list[str]]:
    """The cells of each row of a page's tables, but for their heads."""
    found = [
        [text(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)]
        for row in re.findall(r"<tr[^>]*>(.*?)</tr>", page, re.DOTALL)
    ]
    return [cells for cells in found if cells]


def fen(shown: str) -> int:
    """Of an amount with its sign."""
    return -messages.fen(shown[1:]) if shown.startswith("−") else messages.fen(shown)
