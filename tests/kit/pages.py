"""Tables of a page in Markdown."""

from collections.abc import Iterable
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs/kit.md"


def markdown(table: Iterable[tuple[str, ...]]) -> str:
    """A table of a page; its first row is the header."""
    first, *others = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in table]
    lines = [first, ["---"] * len(first), *others]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def with_table(page: str, name: str, table: str) -> str:
    """The page with the table between the comments ``<!-- NAME -->`` and ``<!-- /NAME -->``."""
    before, rest = page.split(f"<!-- {name} -->\n")
    after = rest.split(f"<!-- /{name} -->")[1]
    return f"{before}<!-- {name} -->\n{table}\n<!-- /{name} -->{after}"
