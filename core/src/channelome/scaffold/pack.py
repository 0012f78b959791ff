"""A pack's folder, from the templates that lie beside this file."""

import datetime
import os
import shutil
import tempfile
from pathlib import Path
from string import Template

from .. import __version__
from ..errors import ModelError
from ..registry.manifest import API_VERSION
from .channel import Draft, new_channels, reference_table, toml
from .request import Origin, Outline

_TEMPLATES = Path(__file__).parent / "templates"


def new_pack(
    outline: Outline,
    origin: Origin,
    licence: str,
    *,
    author: str = "",
    folder: Path | None = None,
    draft: Draft | None = None,
) -> tuple[Path, list[Path]]:
    """Make the pack of a new family with one channel; returns its folder and its files, relative to that.

    Args:
        outline: the channel, whose name ends with the family.
        origin: where the equations are from.
        licence: an SPDX expression.
        author: who is named in the metadata; "The authors of channelome-..." if left out.
        folder: to make; ``channelome-<family>`` in the current one if left out.
        draft: the channel as it is written already, with where it is from.

    Raises:
        ModelError: where the folder is there and not empty.
    """
    distribution = f"channelome-{outline.family.lower()}"
    folder = Path(distribution) if folder is None else folder
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ModelError(f"{folder} is there already and not empty: choose another with --folder, or move it away.")
    parent = folder.absolute().parent
    parent.mkdir(parents=True, exist_ok=True)
    values = _values(outline, origin, licence, author or f"The authors of {distribution}", distribution)
    with tempfile.TemporaryDirectory(dir=parent, prefix=f".{distribution}-") as made:
        whole = Path(made) / "pack"
        _render(_TEMPLATES / "pack", whole, values)
        text = _TEMPLATES / "licences" / f"{licence}.txt"
        if text.is_file():
            (whole / "LICENSE").write_text(
                Template(text.read_text(encoding="utf-8")).substitute(values), encoding="utf-8"
            )
        (whole / "curves").mkdir()
        new_channels([draft or Draft(outline)], whole)
        if folder.is_dir():
            folder.rmdir()
        os.replace(whole, folder)
    return folder, sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def _render(templates: Path, target: Path, values: dict[str, str]) -> None:
    """Copy the tree of templates, with values in place: in files that end with .tmpl, and in paths."""
    for file in sorted(path for path in templates.rglob("*") if path.is_file()):
        parts = [
            part.replace("dot-", ".").replace("PACKAGE", values["package"])
            for part in file.relative_to(templates).parts
        ]
        place = target.joinpath(*parts)
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.suffix == ".tmpl":
            text = Template(file.read_text(encoding="utf-8")).substitute(values)
            place.with_suffix("").write_text(text, encoding="utf-8")
        else:
            shutil.copyfile(file, place)


def _values(outline: Outline, origin: Origin, licence: str, author: str, distribution: str) -> dict[str, str]:
    major, minor = (int(part) for part in __version__.split(".")[:2])
    link = f"[doi:{origin.doi}](https://doi.org/{origin.doi})"
    words = [] if origin.source == f"doi:{origin.doi}" else [origin.source.rstrip(".")]
    ported = f"The equations were ported from {origin.ported_from}." if origin.ported_from else "No code was ported."
    return {
        "family": outline.family,
        "channel": outline.name,
        "distribution": distribution,
        "package": distribution.replace("-", "_"),
        "title": toml(f"{outline.family}: {origin.source}"[:120]),
        "description": toml(f"channelome pack: channels of {outline.family}"),
        "licence": licence,
        "author": toml(author),
        "author_words": author,
        "year": str(datetime.date.today().year),
        "api": API_VERSION,
        "requirement": f"channelome>={major}.{minor},<{major + 1}",
        "references": reference_table(outline.family, origin),
        "source_words": ", ".join([*words, link] if origin.doi else words),
        "cff_licence": _cited_licence(licence),
        "cff_references": _cited_paper(origin) if origin.doi else "",
        "ported": ported,
    }


def _cited_licence(licence: str) -> str:
    """The licence in CITATION.cff, which knows single licences and a choice between them, and nothing else."""
    choice = licence.split(" OR ")
    if any(" " in one or one.startswith("LicenseRef") for one in choice):
        return ""
    return (
        f'license: "{licence}"\n'
        if len(choice) == 1
        else "".join(["license:\n", *(f'  - "{one}"\n' for one in choice)])
    )


def _cited_paper(origin: Origin) -> str:
    """The paper in CITATION.cff; its authors are what stands before the year."""
    authors = origin.source.partition(" (")[0].rstrip(".")
    return (
        f"references:\n  - type: generic\n    title: {toml(origin.source)}\n    doi: {toml(origin.doi)}\n"
        f"    authors:\n      - name: {toml(authors)}\n"
    )
