"""Mistakes that lie in files: packs, golden data, cells and networks. Each is made in a folder that the test gives."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from kit.channels import Plain
from registry.packs import SODIUM, channel_table, make_pack

import channelome as ch
from channelome.registry import Registry
from channelome.registry.discovery import Source
from channelome.registry.sync import sync
from channelome.testing.conformance import check_names
from channelome.testing.packs import PackSubject
from channelome.testing.subjects import CellSubject, ChannelSubject


@dataclass(frozen=True)
class InFiles:
    """A mistake as `planted.Defect`, whose subject is made in a folder that is on the path for modules."""

    what: str
    of: str
    kind: str
    check: str
    make: Callable[[Path], Any]


HEADER = 'schema = 1\napi = "1.0"\nfamily = "{family}"\ntitle = "A test"\nlicense = "MIT"\n'
REFERENCE = '[references.Me]\nrole = "equations"\ntext = "Me (2020)"\ndoi = "10.1000/182"\n'


def _manifest(package: str, family: str, more: str = "") -> str:
    """A manifest that is right."""
    table = channel_table(f"INa_{family}", package, 'references = ["Me"]')
    return HEADER.format(family=family) + more + REFERENCE + table


def _pack(site: Path, number: int, *, manifest: Callable[[str, str], str] = _manifest, **made: Any) -> PackSubject:
    """A distribution of its own name in `site`, as the kit sees one that is installed."""
    name, family = f"channelome-wrong{number}", f"Wrong{number}"
    package = name.replace("-", "_")
    make_pack(site, name, family, manifest=manifest(package, family), **made)
    registry = Registry.discover([Source(family, package, "pack.toml", f"{name} 1.2")])
    own = [one for one in registry.manifests if one.family == family]
    return PackSubject(name, own, [p for p in registry.problems if p.family == family], check_names())


def _importing(number: int, line: str) -> Callable[[Path], PackSubject]:
    return lambda site: _pack(site, number, code=line + "\n" + SODIUM)


def _other_api(site: Path) -> PackSubject:
    return _pack(site, 1, manifest=lambda p, f: _manifest(p, f).replace('api = "1.0"', 'api = "9.0"'))


def _two_of_a_name(site: Path) -> PackSubject:
    subject = _pack(site, 2, code="from . import other\n" + SODIUM)
    folder = site / "channelome_wrong2"
    (folder / "other.py").write_text(SODIUM.replace("{family}", "Wrong2"))
    sync(folder / "pack.toml")
    return subject


def _other_default(site: Path) -> PackSubject:
    subject = _pack(site, 3)
    file = site / "channelome_wrong3/pack.toml"
    sync(file)
    file.write_text(file.read_text().replace("default = 1.0", "default = 43.0"))
    return subject


def _uncited(package: str, family: str) -> str:
    return _manifest(package, family).replace(REFERENCE, "").replace('references = ["Me"]', "")


def _unlicensed(package: str, family: str) -> str:
    return _manifest(package, family).replace('license = "MIT"\n', "")


def _excused(package: str, family: str) -> str:
    excuse = f'[[expected_failures]]\ncheck = "finite"\nname = "INa_{family}"\nreason = ""\n'
    return _manifest(package, family, excuse)


def _other_data(site: Path) -> ChannelSubject:
    """Braincell's rate of closing against curves of the authors' file."""
    around = {"celsius": 24, "ions": {"PotassiumFixed": {"E": "-95 mV"}, "CalciumFixed": {"C_in": [2.4e-4, "mM"]}}}
    ions = [ch.ion(name, **{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})
            for name, values in around["ions"].items()]  # fmt: skip
    authors = ch.curves("IAHP_De1994", ([-60.0], "mV"), celsius=24, ions=ions)
    tables = {
        key: {n: np.asarray(x).tolist() for n, x in getattr(authors, key).items()} for key in ("steady_state", "tau")
    }
    case = {"channel": "IAHP_De1994", "parameters": {"beta": [0.09, "1/ms"]}, "V": [-60.0], **around, **tables}
    (site / "golden.json").write_text(json.dumps([case]))
    return ChannelSubject(Plain, "IAHP_De1994", registered=True, golden=[site / "golden.json"])


def _cell(table: str) -> Callable[[Path], CellSubject]:
    def make(site: Path) -> CellSubject:
        path = site / "Cell_Wrong.toml"
        path.write_text(table)
        return CellSubject("Cell_Wrong", path)

    return make


LEAK = '[channels]\nIL = { use = "IL", g_max = { value = 0.1, unit = "mS/cm^2" }, E = { value = %s, unit = "mV" } }\n'
POINT = 'schema = 1\nkind = "SingleCompartment"\n' + LEAK
UNWIRED = 'schema = 1\nkind = "Network"\nseed = 0\n[populations.cells]\nkind = "SingleCompartment"\nsize = 2\n'

FILES = [
    InFiles("a pack of another API", "", "pack", "manifest", _other_api),
    InFiles("two classes of one name: the second drops the first", "Jaxley", "pack", "in line", _two_of_a_name),
    InFiles("a default that is another in the manifest: E +43 and -43", "", "pack", "in line", _other_default),
    InFiles("nothing is cited", "", "pack", "references", lambda site: _pack(site, 4, manifest=_uncited)),
    InFiles("no licence", "", "pack", "licence", lambda site: _pack(site, 5, manifest=_unlicensed)),
    InFiles("a failure excused without a reason", "", "pack", "expected failures", lambda site: _pack(site, 6, manifest=_excused)),
    InFiles("it fails to import", "pluggy, stock loader", "pack", "imports", _importing(7, "import not_there")),
    InFiles("it prints", "", "pack", "imports", _importing(8, "print('thank you for using this')")),
    InFiles("it installs or compiles something", "nmodl-glia", "pack", "imports",
            _importing(9, "import os; os.system('true')")),
    InFiles("it makes an array: JAX's backend starts", "", "pack", "imports", _importing(10, "import jax.numpy; jax.numpy.ones(3)")),
    InFiles("it sets JAX to float64", "", "pack", "imports", _importing(11, "import jax; jax.config.update('jax_enable_x64', True)")),
    InFiles("it asks the network", "", "pack", "imports", _importing(12, "import socket; socket.getaddrinfo('localhost', 80)")),
    InFiles("the AHP's beta is .09, where the authors have .03", "braincell", "channel", "golden", _other_data),
    InFiles("a name that stands for another class", "Jaxley", "channel", "model file",
            lambda site: ChannelSubject(Plain, "INa_TM1991", registered=True)),
    InFiles("a cell of a channel that no pack provides", "", "cell", "built", _cell(POINT.replace('"IL"', '"INa_Nobody1900"') % "-60.0")),
    InFiles("a cell that leaves what neurons can be", "", "cell", "runs", _cell(POINT % "-5000.0")),
    InFiles("a network of which nothing is connected", "", "network", "wired", _cell(UNWIRED)),
]  # fmt: skip
