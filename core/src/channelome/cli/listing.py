"""``channelome list``: what installed packs offer. Reads data files only."""

import difflib
import shutil
import sys
from typing import Any

import click

from ..errors import UnknownName
from ..registry import Entry
from ..registry.manifest import KINDS
from .completion import families, kinds, known_kinds
from .output import as_json, print_json, say, table


@click.command("list")
@click.argument("word", required=False)
@click.option("--ion", help="Only what this species carries: na, k, ca, ...")
@click.option("--family", help="Only this family: TM1991, HH1952, ...", shell_complete=families)
@click.option(
    "--kind", help="Only this kind: channel, ion, solver, cell; or Ohmic, Permeable, Markov, ...", shell_complete=kinds
)
@as_json
def list_(word: str | None, ion: str | None, family: str | None, kind: str | None, as_json: bool) -> None:
    """What installed packs offer; with WORD, what has it in its name, other names or summary."""
    from ..registry import registry

    if family is not None and family not in registry.families:
        raise UnknownName(
            f"no installed pack is of the family '{family}'. Installed: {', '.join(registry.families) or 'none'}."
        )
    _check_kind(registry.entries(), kind)
    found = [e for e in registry.entries(ion=ion, family=family) if _is_kind(e, kind) and _has(e, word)]
    found.sort(key=lambda entry: KINDS.index(entry.kind))  # by name within a kind, as they come
    if registry.problems:
        broken = dict.fromkeys(problem.distribution for problem in registry.problems)
        say(f"something is broken in {', '.join(broken)}: `channelome doctor` says what.", err=True)
    if as_json:
        print_json([facts(entry) for entry in found])
    elif found:
        rows = [
            (e.name, kind_of(e), e.ion or "", " ".join(e.table.get("gates", ())), pack(e), e.summary) for e in found
        ]
        click.echo(_fitted(table(("NAME", "KIND", "ION", "GATES", "PACK", "SUMMARY"), rows)))
    else:
        click.echo("nothing matches; `channelome list` alone shows all.", err=True)


def kind_of(entry: Entry) -> str:
    """The kind, with the base class of channels and ions: ``channel/Ohmic``."""
    base = entry.table.get("kind")
    return f"{entry.kind}/{base}" if base and base != entry.name else entry.kind


def pack(entry: Entry) -> str:
    """The distribution that ships it, without its version."""
    return entry.distribution.split()[0]


def facts(entry: Entry) -> dict[str, Any]:
    """What the manifest says of an entry in short, for programs."""
    return {
        "name": entry.name,
        "kind": entry.kind,
        "base": entry.table.get("kind"),
        "version": entry.version,
        "family": entry.family,
        "distribution": entry.distribution,
        "ion": entry.ion,
        "reads": list(entry.table.get("reads", ())),
        "gates": list(entry.table.get("gates", ())),
        "aliases": [alias.name for alias in entry.aliases],
        "summary": entry.summary,
    }


def _fitted(text: str) -> str:
    """In a terminal no line is longer than it is wide; in a pipe nothing is cut."""
    if sys.stdout is None or not sys.stdout.isatty():  # pyright: ignore[reportUnnecessaryComparison]
        return text
    width = shutil.get_terminal_size().columns
    return "\n".join(line if len(line) <= width else line[: width - 1] + "…" for line in text.splitlines())


def _check_kind(entries: list[Entry], kind: str | None) -> None:
    """Stop where nothing that is installed is of a kind, and no other pack could be."""
    bases = set(known_kinds(entries)) - set(KINDS)
    if kind is not None and kind.lower() not in {*KINDS, *map(str.lower, bases)}:
        near = difflib.get_close_matches(kind, {*KINDS, *bases}, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(KINDS)}, and {', '.join(sorted(bases))}."
        raise UnknownName(f"there is no kind '{kind}'. {hint}")


def _is_kind(entry: Entry, kind: str | None) -> bool:
    return kind is None or kind.lower() in (entry.kind, str(entry.table.get("kind", "")).lower())


def _has(entry: Entry, word: str | None) -> bool:
    text = " ".join([entry.name, entry.summary, *(alias.name for alias in entry.aliases)])
    return word is None or word.lower() in text.lower()
