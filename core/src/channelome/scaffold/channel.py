"""A channel's file, its line in the package and its place in the manifest and README of a pack."""

import json
import sys
import textwrap
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import ModelError, PackError
from ..registry.discovery import GROUP
from .request import IONS, Origin, Outline

_INACTIVATES = ("h", "j", "l", "b", "s")
"""Letters of gates that commonly close on depolarisation: it decides the sign of a placeholder."""


class Place(NamedTuple):
    """The package of a family in a pack's folder, and its manifest."""

    package: Path
    manifest: Path


class Written(NamedTuple):
    """A mechanism that is written already: what a plugin makes of a file of another format.

    Attributes:
        text: of the module.
        kind: ``"channel"``, ``"ion"`` or ``"synapse"``.
        golden: cases of golden data, as of `testing.check_golden`, without the name of the channel.
    """

    text: str
    kind: str = "channel"
    golden: tuple[dict[str, Any], ...] = ()


class Draft(NamedTuple):
    """A mechanism to be put into a pack; without `written` a channel with placeholder kinetics."""

    outline: Outline
    origin: Origin | None = None
    written: Written | None = None


def new_channel(
    outline: Outline, folder: Path, origin: Origin | None = None, written: Written | None = None
) -> list[Path]:
    """Write a channel into the pack in `folder`, with placeholder kinetics; returns the files written and changed.

    Args:
        outline: its name, gates and ion.
        folder: with the pack's pyproject.toml.
        origin: where its equations are from, if not from the pack's first reference.
        written: its module, where it is written already.

    Raises:
        PackError: where the folder holds no pack of the family, or the pack cannot be imported.
        ModelError: where the channel is there already.
    """
    return new_channels([Draft(outline, origin, written)], folder)


def new_channels(drafts: Sequence[Draft], folder: Path) -> list[Path]:
    """As `new_channel`, of several of one family: all of them, or none."""
    from ..registry.sync import sync

    place = find_place(folder, drafts[0].outline.family)
    init, readme, golden = place.package / "__init__.py", folder / "README.md", folder / "tests/golden.json"
    shown = [readme] if (folder / "curves").is_dir() else []
    cases = [golden] if any(draft.written and draft.written.golden for draft in drafts) else []
    changed = [init, *shown, place.manifest, *cases]
    before = {path: path.read_text(encoding="utf-8") if path.is_file() else None for path in changed}
    texts = {path: text or "" for path, text in before.items()}
    made: dict[Path, str] = {}
    for draft in drafts:
        file = place.package / f"{draft.outline.module}.py"
        if _is_there(draft, texts[place.manifest]) or file.exists() or file in made:
            raise ModelError(f"{file} is there already: write into it, or choose another name.")
        made[file] = _drafted(draft, file, texts, place, readme, golden)
    try:
        for path, text in (made | texts).items():
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        with importable(place.package):
            sync(place.manifest.resolve())
    except BaseException:
        for path in made:
            path.unlink(missing_ok=True)
        for path, text in before.items():
            path.unlink(missing_ok=True) if text is None else path.write_text(text, encoding="utf-8")
        raise
    return [*made, *texts]


def _is_there(draft: Draft, manifest: str) -> bool:
    table = tomllib.loads(manifest)
    return any(draft.outline.name in table.get(kind, {}) for kind in ("channel", "ion", "synapse"))


def _drafted(draft: Draft, file: Path, texts: dict[Path, str], place: Place, readme: Path, golden: Path) -> str:
    """The text of the module; those of the other files are brought in line."""
    outline, written = draft.outline, draft.written
    manifest, init = place.manifest, place.package / "__init__.py"
    table = tomllib.loads(texts[manifest])
    added, keys = _references(table.get("references", {}), outline, draft.origin)
    kind = written.kind if written else "channel"
    cited = f"[{kind}.{outline.name}]\nreferences = {json.dumps(keys)}\n" if keys else ""
    failure = (
        f'[[expected_failures]]\ncheck = "placeholders"\nname = "{outline.name}"\n'
        f'reason = "The kinetics are placeholders until the equations of the source stand in {file.name}."\n'
    )
    texts[init] = _with_line(texts[init], f"from .{outline.module} import {outline.name} as {outline.name}")
    parts = [part.strip("\n") for part in (texts[manifest], added, "" if written else failure, cited)]
    texts[manifest] = "\n\n".join(part for part in parts if part) + "\n"
    if readme in texts and kind == "channel":
        curves = f"### {outline.name}\n\n![Curves of {outline.name}](curves/{outline.name}.png)\n"
        texts[readme] = f"{texts[readme].rstrip()}\n\n{curves}"
    if written and written.golden:
        known = json.loads(texts[golden] or "[]") + [{"channel": outline.name, **case} for case in written.golden]
        texts[golden] = "[\n" + ",\n".join(json.dumps(case) for case in known) + "\n]\n"
    return written.text if written else channel_file(outline, table, keys, added)


def find_place(folder: Path, family: str) -> Place:
    """Where the family lies in the pack in `folder`, as its entry point says."""
    project = folder / "pyproject.toml"
    try:
        points: dict[str, Any] = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["entry-points"][GROUP]
    except FileNotFoundError:
        raise PackError(
            f"{folder} holds no pack: `channelome new pack {family}` makes one, and --pack DIR names its folder."
        ) from None
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise PackError(
            f"{project} is not that of a pack: it has no entry point of the group {GROUP} ({error})."
        ) from None
    if family not in points:
        raise PackError(
            f"the pack in {folder} is of the family {' and '.join(points)}, not '{family}': end the name with "
            f"_{next(iter(points))}, or make a pack with `channelome new pack {family}`."
        )
    module, _, file = str(points[family]).partition(":")
    for source in (folder / "src", folder):
        if (source / module / file).is_file():
            return Place(source / module, source / module / file)
    raise PackError(f"{project} names the manifest {module}/{file}, which is neither there nor under src/.")


def channel_file(outline: Outline, table: dict[str, Any], keys: list[str], added: str) -> str:
    """The text of the module: a channel that runs and passes all checks but that of placeholders."""
    known = table.get("references", {}) | tomllib.loads(added).get("references", {})
    reference = known.get(next(iter(keys or known), ""), {})
    text, doi = reference.get("text", "").rstrip("."), reference.get("doi", "")
    source = _quiet(f"{text}, doi:{doi}" if doi and doi not in text else text)
    fields, gates = [("g_max", "Conductance", 1.0)], list[str]()
    if not outline.ion:
        fields.append(("E", "Voltage", 0.0))
    for gate in outline.gates:
        closes = gate.name[0] in _INACTIVATES
        name = gate.name
        fields += [
            (f"V_{name}", "Voltage", -60.0 if closes else -35.0),
            (f"k_{name}", "Voltage", -7.0 if closes else 7.0),
            (f"tau_{name}", "PositiveTime", 10.0 if closes else 1.0),
        ]
        gates.append(
            f"    def {name}(self, V: Array) -> Gate:  # placeholder: the source's equation goes here\n"
            f"        return Gate(inf=sigmoid(V - self.V_{name}, self.k_{name}), tau=self.tau_{name})\n"
        )
    product = " * ".join(["self.g_max", *(g.name if g.power == 1 else f"{g.name}**{g.power}" for g in outline.gates)])
    gates.append(
        f"    def conductance(self, {', '.join(f'{g.name}: Array' for g in outline.gates)}) -> Array:\n        return {product}\n"
    )
    body = "\n".join(f'    {name}: {kind} = param({value}, source="placeholder")' for name, kind, value in fields)
    what = f"{IONS[outline.ion]} current" if outline.ion else "Current"
    carried = f', ion="{outline.ion}"' if outline.ion else ""
    first = textwrap.fill(f'"""{what} {outline.name}: placeholders, to be replaced by the equations of {source}.', 116)
    return (
        f"{first}\n\n"
        f"Put each equation of the source, in its letters, in the place of a placeholder; numbers that are parameters into\n"
        f"fields, with the key of their reference in pack.toml as `source`. Then run `channelome pack sync .` and take the\n"
        f'expected failure out of pack.toml.\n"""\n\n'
        f"from channelome.authoring import Array, Conductance, Gate, Ohmic, PositiveTime, Voltage, param, sigmoid\n\n\n"
        f"class {outline.name}(Ohmic{carried}):\n"
        f'    """{what}, with placeholder kinetics."""\n\n{body}\n\n' + "\n".join(gates)
    )


def reference_table(key: str, origin: Origin) -> str:
    """The TOML of where equations are from: a paper, own work, and the code that they were ported from."""
    role = "equations" if origin.doi else "implementation"
    doi = f"doi = {toml(origin.doi)}\n" if origin.doi else ""
    text = f'[references.{key}]\nrole = "{role}"\n{doi}text = {toml(origin.source)}\n'
    if origin.ported_from:
        text += f'\n[references.{key}_ported]\nrole = "implementation"\ntext = {toml("Ported from " + origin.ported_from)}\n'
    return text


def toml(text: str) -> str:
    """`text` as a string of TOML, of YAML and of JSON."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "")


def _references(known: dict[str, Any], outline: Outline, origin: Origin | None) -> tuple[str, list[str]]:
    """The references to add, as TOML, and the keys that the channel cites."""
    if origin is None or not (origin.source or origin.ported_from):
        return "", [key for key in known if key in (outline.family, f"{outline.family}_ported")]
    same = next((key for key, one in known.items() if origin.source in (key, one.get("text"))), None)
    added, keys = reference_table(outline.name, origin), [outline.name]
    if same is not None:
        keys, added = [same], ""
        if origin.ported_from:
            added = reference_table(outline.name, origin).partition("\n\n")[2]
    return added, keys + ([f"{outline.name}_ported"] if origin.ported_from else [])


def _quiet(text: str) -> str:
    return text.replace("\\", "/").replace('"', "'") or "its source"


def _with_line(text: str, line: str) -> str:
    """The text of a package with one more import, among the others in the order of their modules."""
    lines = text.rstrip().splitlines()
    at = next(
        (n for n, other in enumerate(lines) if other.startswith("from .") and other.split()[1] > line.split()[1]), None
    )
    if at is None:
        gap = [""] if lines and not lines[-1].startswith("from .") else []
        return "\n".join([*lines, *gap, line]) + "\n"
    return "\n".join([*lines[:at], line, *lines[at:]]) + "\n"


@contextmanager
def importable(package: Path) -> Iterator[None]:
    """Let the package in that folder be imported, anew, until the block ends."""
    name, path = package.name, str(package.parent.resolve())

    def forget() -> None:
        for module in [known for known in sys.modules if known.partition(".")[0] == name]:
            del sys.modules[module]

    forget()
    sys.path.insert(0, path)
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = written
        sys.path.remove(path)
        forget()
