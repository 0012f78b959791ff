"""From process start to the first trace, import times, and the CPU time of ``channelome list``."""

import importlib.metadata
import importlib.util
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from timing import unpin

CHANNELOME = """
import channelome as ch
traces = ch.simulate(
    ch.cell("SquidAxon_HH1952"), {duration}, dt={dt}, stimulus={current}
)
V = traces["V"]
"""
STRINGS = CHANNELOME.format(duration="'100 ms'", dt="'0.025 ms'", current="'10 uA/cm^2'")
BRAINUNIT = "import brainunit as u" + CHANNELOME.format(
    duration="100 * u.ms", dt="0.025 * u.ms", current="10 * u.uA / u.cm**2"
)
PLAIN = """
import jax, jax.numpy as jnp, numpy as np

def linoid(x, k):
    y = jnp.where(jnp.abs(x) < 1e-6, 1e-6, x / k)
    return k * y / jnp.expm1(y)

def gate(x, a, b, dt):
    return a / (a + b) + (x - a / (a + b)) * jnp.exp(-dt * (a + b))

def step(s, _, p, dt):
    V, m, h, n = s
    G_Na, G_K = p["Na"] * m**3 * h, p["K"] * n**4
    G = G_Na + G_K + p["L"]
    rest = (p["I"] + 50 * G_Na - 77 * G_K - 54.387 * p["L"]) / G
    after = (
        rest + (V - rest) * jnp.exp(-dt * G),
        gate(m, 0.1 * linoid(-(V + 40), 10), 4 * jnp.exp(-(V + 65) / 18), dt),
        gate(h, 0.07 * jnp.exp(-(V + 65) / 20), 1 / (1 + jnp.exp(-(V + 35) / 10)), dt),
        gate(n, 0.01 * linoid(-(V + 55), 10), 0.125 * jnp.exp(-(V + 65) / 80), dt),
    )
    return after, after[0]

@jax.jit
def run(s, p, dt):
    return jax.lax.scan(lambda s, x: step(s, x, p, dt), s, None, length=4000)[1]

p = {k: np.float32(x) for k, x in dict(Na=120, K=36, L=0.3, I=10).items()}
V = np.asarray(run(tuple(np.full(1, x, np.float32) for x in (-65, 0.053, 0.596, 0.318)), p, np.float32(0.025)))
"""
ONE_PACK, ALL_PACKS = "first trace, one pack installed", "first trace, all packs installed"
SCRIPTS = {
    "python -c pass": "pass",
    "import channelome": "import channelome",
    "import jax": "import jax",
    "first trace, plain JAX": PLAIN,
    "first trace, channelome, units as strings": STRINGS,
    "first trace, channelome, brainunit": BRAINUNIT,
    ONE_PACK: STRINGS,
    ALL_PACKS: STRINGS,
    "channelome list": "from channelome.cli import main; main(['list'], standalone_mode=False)",
}


def installations(folder: Path) -> dict[str, dict[str, str]]:
    """What is set where one pack and all packs are installed, by what is run in them: links to what is installed here."""
    sources, here = [], {path for path in sys.path if path.endswith("site-packages")}
    for name in ("one", "all"):
        (folder / name).mkdir()
    for found in importlib.metadata.distributions():
        name, files = found.metadata["Name"], Path(str(found.locate_file("")))
        if not name.startswith("channelome"):
            continue
        (info,) = files.glob(f"{name.replace('-', '_')}-*.dist-info")
        for where in ("one", "all") if name in ("channelome", "channelome-hh1952") else ("all",):
            (folder / where / info.name).symlink_to(info)
        module = importlib.util.find_spec(name.replace("-", "_"))
        sources += [str(Path(module.origin).parents[1])] if module and module.origin else []
    for site in map(Path, here):
        for path in site.iterdir():
            if not path.name.startswith(("channelome", "_channelome")) and path.suffix != ".pth":
                for where in ("one", "all"):
                    (folder / where / path.name).symlink_to(path)
    return {
        title: {"PYTHONPATH": os.pathsep.join([str(folder / where), *sources])}
        for title, where in ((ONE_PACK, "one"), (ALL_PACKS, "all"))
    }


def measure(*, rounds: int, cores: set[int]) -> dict[str, dict[str, float]]:
    """Seconds of wall and of CPU time of a whole process for each script, on all `cores`: medians of interleaved rounds."""
    wall: dict[str, list[float]] = {name: [] for name in SCRIPTS}
    cpu: dict[str, list[float]] = {name: [] for name in SCRIPTS}
    unpin(cores)  # the children inherit it
    with tempfile.TemporaryDirectory() as folder:
        # bytecode is kept, as pip does for what it installs
        kept = {name: word for name, word in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        kept["PYTHONPYCACHEPREFIX"] = str(Path(folder, "bytecode"))
        _measure(rounds, wall, cpu, kept, installations(Path(folder)))
    return {  # the first round warmed the file system
        name: {"wall": statistics.median(wall[name][1:]), "cpu": statistics.median(cpu[name][1:])} for name in SCRIPTS
    }


def _measure(
    rounds: int,
    wall: dict[str, list[float]],
    cpu: dict[str, list[float]],
    env: dict[str, str],
    installed: dict[str, dict[str, str]],
) -> None:
    for _ in range(rounds + 1):
        for name, script in SCRIPTS.items():
            used, begin = _children(), time.perf_counter()
            alone = ["-S"] if name in installed else []  # without the site's own packages
            done = subprocess.run(
                [sys.executable, *alone, "-c", script],
                check=False,
                capture_output=True,
                text=True,
                env=env | installed.get(name, {}),
            )
            wall[name].append(time.perf_counter() - begin)
            cpu[name].append(_children() - used)
            if done.returncode:
                print(f"'{name}' is left out: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
                wall[name][-1] = cpu[name][-1] = float("nan")


def _children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
