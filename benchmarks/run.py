"""Measure channelome beside hand-written JAX and, where they are installed, its peers.

python benchmarks/run.py [--quick] [--only speed,startup,...] [--json FILE] [--write] [--peer-python PYTHON]
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import timing
from peers import Peers

HERE = Path(__file__).resolve().parent
PARTS = ("speed", "networks", "delays", "populations", "cable", "startup", "compile", "accuracy")


def main() -> None:
    """The command."""
    options = arguments()
    cores = timing.pin()  # before JAX counts them
    import compile_cost
    import report
    import speed
    import startup

    peers = Peers(options.peer_python if "speed" in options.only else None)
    found: dict[str, object] = {}
    pages = [report.header(peers.versions, options.quick)]
    rounds = 3 if options.quick else 7
    if "speed" in options.only:
        rows = speed.measure(peers, rounds=rounds, quick=options.quick)
        kept = speed.recorded(rounds=rounds, quick=options.quick)
        calls = speed.overhead(rounds=rounds)
        found |= {"speed": rows, "recorded": kept, "overhead": calls}
        pages += [report.speed(rows), report.targets(rows), report.recorded(kept), report.overhead(calls)]
    peers.close()
    if "networks" in options.only:
        found["networks"] = measured = network_part(options, rounds)
        pages.append(report.networks(measured))
    if "delays" in options.only:
        import delays

        found["delays"] = late = delays.beside(options.peer_python, rounds=min(rounds, 5), quick=options.quick)
        pages.append(report.delays(late))
    if "populations" in options.only:
        import populations

        found["populations"] = labels = populations.measure(options.peer_python)
        pages.append(report.populations(labels))
    if "cable" in options.only:
        import cable

        found["cable"] = cables = cable.measure(options.peer_python)
        pages.append(report.cable(cables))
    if "compile" in options.only:
        found["compile"] = costs = compile_cost.measure()
        pages.append(report.compile_cost(costs))
    if "startup" in options.only:
        found["startup"] = times = startup.measure(rounds=2 if options.quick else 5, cores=cores)
        pages.append(report.startup(times))
    if "accuracy" in options.only:
        found["accuracy"] = errors = accuracy(options.quick)
        pages.append(report.accuracy(errors))
    text = "\n".join(pages)
    print(text)
    if options.json:
        Path(options.json).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if options.write:
        (HERE / "RESULTS.md").write_text(text, encoding="utf-8")


def network_part(options: argparse.Namespace, rounds: int) -> dict[str, Any]:
    """The network beside the peers', what it costs, and ways of delivery."""
    import deliveries
    import network_peers
    import networks

    script = HERE / "network_peers.py"
    peers = Peers(options.peer_python, script, network_peers.NAMES)
    rows = networks.measure(peers, rounds=rounds, quick=options.quick)
    peers.close()
    other = Peers(options.peer_python, script, ["brainevent"])
    ways = deliveries.measure(rounds, other)
    other.close()
    few = min(rounds, 3)
    return {
        "rows": rows, "versions": peers.versions, "deliveries": ways,
        "by_size": networks.by_size(few), "by_rate": networks.by_rate(few), "costs": networks.costs(),
    }  # fmt: skip


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds and steps")
    parser.add_argument(
        "--only", default=",".join(PARTS), type=lambda text: text.split(","), help=f"some of {','.join(PARTS)}"
    )
    parser.add_argument("--json", metavar="FILE", help="write the numbers there")
    parser.add_argument("--write", action="store_true", help="write benchmarks/RESULTS.md")
    parser.add_argument(
        "--peer-python", metavar="PYTHON", default=peer_python(), help="an interpreter that has the peers"
    )
    return parser.parse_args()


def peer_python() -> str | None:
    """The peers' interpreter: of CHANNELOME_BENCH_PEERS, or of `make bench-peers`, if there is one."""
    made = HERE.parent / ".venv-bench" / "bin" / "python"
    return os.environ.get("CHANNELOME_BENCH_PEERS") or (str(made) if made.exists() else None)


def accuracy(quick: bool) -> list[dict[str, object]]:
    """The rows of accuracy.py, which runs in float64 and so in a process of its own."""
    command = [sys.executable, str(HERE / "accuracy.py"), *(["--quick"] if quick else [])]
    done = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, "JAX_ENABLE_X64": "1"}
    )
    return json.loads(done.stdout)


if __name__ == "__main__":
    main()
