"""What a model uses, which packs that comes from, and what of it has changed since: from manifests, model files and loaded code."""

import functools
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, cast

from ..errors import ModelError, PackError, UnknownName
from .document import is_file, read_document
from .environment import environment, pins
from .manifest import Entry, Reference
from .schema import check_form
from .store import Registry
from .suggest import FIRST_PARTY
from .words import printable

CORE = "channelome"
"""What core's manifest, which has no family, is called in a provenance block."""


class Use(NamedTuple):
    """A name that stands in a model, with its kind and its place."""

    kind: str
    name: str
    place: str


class About(NamedTuple):
    """What a cell or network was made from: a registered model, by name and version, or a file with words of its own."""

    model: str = ""
    title: str = ""
    references: tuple[Reference, ...] = ()


class Model(NamedTuple):
    """A model as data: its table, what to call it in errors, its registered name, if it has one, and its folder."""

    table: Mapping[str, Any]
    where: str
    name: str = ""
    folder: Path | None = None
    """Where its file is, beside which files that it names are; None for a table."""

    @property
    def provenance(self) -> Mapping[str, Any]:
        return self.table.get("provenance", {})

    @property
    def about(self) -> About:
        """Its title and references are its own where it is a file; those of a registered model are in the manifest."""
        name = self.name or self.provenance.get("model", "")
        if self.name:
            return About(name)
        written: Mapping[str, Mapping[str, str]] = self.table.get("references", {})
        references = (Reference(key, r["role"], r["text"], r.get("doi", "")) for key, r in written.items())
        return About(name, self.table.get("title", ""), tuple(references))


def read_model(registry: Registry, what: Any, kind: str | None = None) -> Model:
    """The model that a name, a path or a table stands for, its form checked.

    Args:
        kind: ``"cell"`` or ``"network"``; either if None.

    Raises:
        UnknownName: where nothing has the name.
        ModelError: where it is no model, naming the place.
    """
    if isinstance(what, Mapping):
        from .document import check_data

        model = Model(cast("Mapping[str, Any]", what), "the table")
        check_data(model.table, model.where)
    elif is_file(what):
        model = Model(read_document(what), str(what), folder=Path(what).parent)
    elif isinstance(what, str):
        entry = registry.find(what, kind)
        if entry.kind not in ("cell", "network"):
            raise ModelError(f"'{what}' is of the kind '{entry.kind}', and not a model: a cell or a network.")
        file = registry.file(what, entry.kind)
        model = Model(read_document(file), f"the {entry.kind} '{what}' ({file.name})", versioned(entry), file.parent)
    else:
        raise ModelError(f"a model is a name, the path of a .toml or .json file, or a table, not {what!r}.")
    check_form(model.table, model.where)
    return model


def uses(table: Mapping[str, Any]) -> Iterator[Use]:
    """Every name that stands in the table of a model, a name once for each place."""
    if table.get("kind") == "Network":
        for label, population in table["populations"].items():
            if "use" in population:
                yield Use("cell", population["use"], f"populations.{label}")
            yield from _of_cell(population, f"populations.{label}.")
        for label, projection in table.get("projections", {}).items():
            for part in ("synapse", "plasticity"):
                if part in projection:
                    yield Use("synapse", projection[part]["use"], f"projections.{label}.{part}")
    else:
        yield from _of_cell(table, "")


def _of_cell(table: Mapping[str, Any], place: str) -> Iterator[Use]:
    for section, kind in (("ions", "ion"), ("channels", "channel")):
        for label, part in table.get(section, {}).items():
            yield Use(kind, part["use"], f"{place}{section}.{label}")


def entries(registry: Registry, model: Model) -> list[Entry]:
    """What a model is made of, each once: the models that it names or was made from first, then mechanisms.

    Raises:
        UnknownName: for what is not installed, with the command that installs it.
    """
    check_installed(registry, model)
    found: dict[str, Entry] = {}
    for name in (model.about.model, *model.provenance.get("populations", {}).values()):
        if name in registry:
            found.setdefault(name, registry.find(name))
    inner = [use.name for use in uses(model.table) if use.kind == "cell"]
    for name in dict.fromkeys(inner):
        for entry in entries(registry, read_model(registry, name, "cell")):
            found.setdefault(versioned(entry), entry)
    for use in uses(model.table):
        try:
            entry = registry.find(use.name, use.kind)
        except UnknownName as error:
            raise UnknownName(f"{model.where}: {use.place}: {error}") from error
        found.setdefault(versioned(entry), entry)
    return sorted(found.values(), key=lambda entry: entry.kind not in ("cell", "network"))


def check_installed(registry: Registry, model: Model) -> None:
    """Raise `UnknownName` where the model uses what no installed pack provides, with the command that installs it."""
    missing = [use for use in uses(model.table) if use.name not in registry]
    if not missing:
        return
    packs = model.provenance.get("packs", {})
    needed = {family: pack for family, pack in packs.items() if any(_family(use.name) == family for use in missing)}
    first = missing[0]
    names = ", ".join(dict.fromkeys(use.name for use in missing))
    if not needed and first.name in model.provenance.get("mechanisms", {}):
        raise UnknownName(
            f"{model.where}: {first.place} uses {names}, which was registered by the script that saved the model: register it "
            f"first, channelome.register(...) or channelome.load_dir(...)."
        )
    if not needed:
        try:
            registry.find(first.name, first.kind)
        except UnknownName as error:
            raise UnknownName(f"{model.where}: {first.place}: {error}") from None
    absent = {f: p for f, p in needed.items() if f not in registry.families}
    if absent:
        raise UnknownName(
            f"{model.where}: {first.place} uses {names}, which the file says is of a pack that is not installed: {_advice(absent)}"
        )
    said = ", ".join(f"{p['distribution']} {p['version']}" for p in needed.values())
    raise UnknownName(
        f"{model.where}: {first.place} uses {names}, which the installed version of its pack does not have; "
        f"the file was written with {said}."
    )


def _advice(absent: Mapping[str, Mapping[str, str]]) -> str:
    """How to get packs that a file names: anyone may have written it, so that only what is ours is recommended."""
    every = {family: f"{pack['distribution']}=={pack['version']}" for family, pack in absent.items()}
    foreign = [line for family, line in every.items() if not _is_ours(family, line)]
    if foreign:
        return f"{', '.join(dict.fromkeys(foreign))}. It is none that channelome knows: look at whose it is before you install it."
    return f"pip install {' '.join(dict.fromkeys(every.values()))}"


def _is_ours(family: str, line: str) -> bool:
    return line.partition("==")[0] == (CORE if family == CORE else FIRST_PARTY.get(family.casefold()))


def block(
    registry: Registry, made_of: Iterable[Entry], model: str = "", populations: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The provenance block of a model that is made of these entries.

    Args:
        model: the registered model that it was made from.
        populations: those that a network's populations were made from, by label.
    """
    made_of = list(made_of)
    families = [CORE, *(entry.family for entry in made_of if entry.family)]
    packs = {family: pack for family in families if (pack := _pack_table(registry, family))}
    mechanisms = {versioned(e): digests(_as_loaded(registry, e)) for e in made_of if e.kind not in ("cell", "network")}
    around = environment(_distributions(registry, families))
    around |= {name: version for name, version in _distributions(registry, ()).items() if name != CORE}
    found: dict[str, Any] = {
        "model": model, "populations": populations, "packs": packs, "mechanisms": mechanisms, "environment": around
    }  # fmt: skip
    return {key: value for key, value in found.items() if value}


def changes(registry: Registry, table: Mapping[str, Any]) -> list[str]:
    """What is another than when the model was saved, in words; nothing for a model without provenance.

    Packs that the model names are imported, so that their code is seen, and not only what their manifests say of it.
    """
    saved = table.get("provenance", {})
    found: list[str] = []
    for family, pack in saved.get("packs", {}).items():
        now = pack_of(registry, family)
        if now is None:
            found.append(f"{pack['distribution']} {pack['version']} is not installed")
        elif now[:2] != (pack["distribution"], pack["version"]):
            found.append(f"{pack['distribution']} was {pack['version']}, now {' '.join(now[:2])}")
        elif now[2] != pack["manifest"]:
            found.append(f"the manifest of {pack['distribution']} {pack['version']} ({family}) is another")
    for name, before in saved.get("mechanisms", {}).items():
        if name in registry:
            entry = registry.find(name)
            now_said = [digests(_as_loaded(registry, entry))]
            if not _is_same_pack(registry, entry, saved):
                now_said.append(digests(entry))  # another manifest may say what is so of no code
            found += [
                f"{name}: {_WHAT[key]}"
                for key, digest in before.items()
                if any(said.get(key) != digest for said in now_said)
            ]
        else:
            found.append(f"{name} is not installed")
    return found


def _is_same_pack(registry: Registry, entry: Entry, saved: Mapping[str, Any]) -> bool:
    """Whether the entry's manifest is the one that a model was saved with."""
    family = entry.family or CORE
    return _pack_table(registry, family) == saved.get("packs", {}).get(family)


_WHAT = {
    "equations": "its equations, gates or ions are others",
    "parameters": "its parameters or their defaults are others",
}


def _as_loaded(registry: Registry, entry: Entry) -> Entry:
    """The entry, with what its code says where that is another than its manifest says."""
    try:
        return replace(entry, table=registry.facts(entry))
    except PackError:  # building the model says so
        return entry


def digests(entry: Entry) -> dict[str, str]:
    """What a manifest says of a mechanism, in two short digests, to see what has changed."""
    keys = ("kind", "ion", "reads", "gates", "temperature", "equations", "code")
    equations = {key: entry.table[key] for key in keys if key in entry.table}
    parameters = {
        name: {key: facts[key] for key in ("default", "unit") if key in facts}
        for name, facts in entry.table.get("parameters", {}).items()
    }
    return {"equations": _digest(equations), "parameters": _digest(parameters)}


def _pack_table(registry: Registry, family: str) -> dict[str, str]:
    return dict(zip(("distribution", "version", "manifest"), pack_of(registry, family) or (), strict=False))


def pack_of(registry: Registry, family: str) -> tuple[str, str, str] | None:
    """Distribution, version and digest of the manifest of an installed pack, by family; of core for `CORE`."""
    for manifest in registry.manifests:
        if (manifest.family or CORE) == family:
            name, _, version = manifest.distribution.partition(" ")
            return name, version, f"sha256:{_file_digest(manifest.path)}"
    return None


def of_run(registry: Registry, about: About, classes: Iterable[type]) -> dict[str, str]:
    """For the provenance of a run: the model, each pack that its parts are of, with the digest of its manifest, and parts
    whose code is another than that says, with the digest of the code."""
    named = [entry for cls in classes if (entry := registry.entry_of(cls)) is not None]
    families = [CORE, _family(about.model), *(entry.family for entry in named)]
    packs = {family: pack for family in families if family and (pack := pack_of(registry, family)) is not None}
    model = {"model": about.model} if about.model else {}
    changed = {
        f"changed {versioned(entry)}": f"digest {facts.get('digest')}, its manifest has {entry.table.get('digest')}"
        for entry in named
        if (facts := _as_loaded(registry, entry).table) is not entry.table
    }
    return model | {f"pack {family}": " ".join(pack) for family, pack in packs.items()} | changed


def pins_of(registry: Registry, what: Any = None) -> list[str]:
    """Lines of a requirements file for a model, by name or file, or for all that is installed: packs, those of solvers too, and
    all that they need, with Python as a comment.

    Of a file with provenance they are the versions that it was saved with.
    """
    if what is None:
        return _pins(registry, [manifest.family for manifest in registry.manifests])
    model = read_model(registry, what)
    packs, around = model.provenance.get("packs"), model.provenance.get("environment")
    if not packs:
        return _pins(registry, [entry.family for entry in entries(registry, model)])
    every = {family: f"{pack['distribution']}=={pack['version']}" for family, pack in packs.items()}
    own = [
        line if _is_ours(family, line) else f"{line}  # none that channelome knows: look at whose it is"
        for family, line in every.items()
    ]
    said = f"# as {printable(model.where)} says, which anyone may have written"
    if not around:
        return [said, *dict.fromkeys(own), "# it does not say what these need"]
    return [said, *pins(own, around)]


def _pins(registry: Registry, families: Iterable[str]) -> list[str]:
    own = _distributions(registry, families)
    return pins((f"{name}=={version}" for name, version in own.items()), environment(own))


def _distributions(registry: Registry, families: Iterable[str]) -> dict[str, str]:
    """Version of each distribution of these families, of core, and of each that has solvers, with which any model may be run."""
    solvers = [entry.family for entry in (registry.find(name) for name in registry) if entry.kind == "solver"]
    packs = [pack_of(registry, family or CORE) for family in dict.fromkeys([CORE, *families, *solvers])]
    return {pack[0]: pack[1] for pack in packs if pack is not None}


def versioned(entry: Entry) -> str:
    """The name that means this version for ever: ``INa_HH1952@1``."""
    return f"{entry.name}@{entry.version}"


@functools.cache
def _file_digest(path: Path) -> str:
    """Of a manifest as text: how its lines end does not matter."""
    return hashlib.sha256(path.read_text(encoding="utf-8").encode()).hexdigest()


def _digest(what: Any) -> str:
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:16]


def _family(name: str) -> str:
    return name.partition("@")[0].rpartition("_")[2]
