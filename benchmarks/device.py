"""An accelerator checked in one go: right first, then how fast; beside one core of the same machine.

    python benchmarks/device.py [--dry] [--out FOLDER] [--seconds 480] [--only neurons,cables,...]

Two lanes run beside one another: the parts of the device, each a process of its own, and the same on one core. A part that would not end
within its budget, or within the whole, is ended or left out, with a word. `results.json` is written anew after every row, and
`RESULTS-gpu.md` at the end. The command fails where a result or a test is wrong, or a part ended badly.
"""

import argparse
import dataclasses
import importlib.metadata
import json
import os
import platform
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import device_report
from report import cpu_model

HERE = Path(__file__).resolve().parent
DEVICE = {
    "card": 30, "tests": 110, "agreement": 60, "neurons": 50, "networks": 60, "cables": 140, "sweep": 30, "compiling": 50,
    "delivery": 40, "peers": 60,
}  # fmt: skip
"""Parts of the device in their order, and the most seconds of each."""
CORE = {
    "reference": 90,
    "card": 20,
    "neurons": 40,
    "networks": 60,
    "cables": 140,
    "sweep": 30,
    "compiling": 40,
    "delivery": 40,
}
LEAST = 5
"""Seconds left under which no part is begun."""


@dataclasses.dataclass
class Check:
    """What is found, by lane and part, and until when there is time."""

    out: Path
    until: float
    dry: bool
    found: dict[str, Any]
    lock: Any = dataclasses.field(default_factory=threading.Lock)

    def left(self) -> float:
        return self.until - time.monotonic()

    def take(self, lane: str, said: dict[str, Any]) -> None:
        """What a process said, into the results and their file."""
        with self.lock:
            parts = self.found["lanes"].setdefault(lane, {})
            if "about" in said:
                self.found["about"].setdefault(lane, said["about"])
            elif "row" in said:
                part = parts.setdefault(said["part"], {"rows": []})
                new = said["row"]
                if new.pop("replaces", False):
                    part["rows"] = [old for old in part["rows"] if old["what"] != new["what"]]
                part["rows"].append(new)
            elif "end" in said:
                parts.setdefault(said["end"], {"rows": []})["seconds"] = said["seconds"]
            elif "word" in said:
                parts.setdefault(said["part"], {"rows": []})["word"] = said["word"]
                print(f"{lane}: {said['part']}: {said['word']}", file=sys.stderr, flush=True)
            self.write()

    def write(self) -> None:
        """The results so far, whole at any time."""
        new = self.out / "results.json.new"
        new.write_text(json.dumps(self.found, indent=1) + "\n", encoding="utf-8")
        new.replace(self.out / "results.json")


def lane(check: Check, name: str, budgets: dict[str, float], reference: Path) -> None:
    """Run the parts of a lane one after another: a process each, or in a dry run one for all."""
    groups = [list(budgets)] if check.dry else [[part] for part in budgets]
    for parts in groups:
        while parts:
            begun = process(check, name, parts, budgets, reference)
            parts = parts[parts.index(begun) + 1 :] if begun else []


def process(check: Check, name: str, parts: list[str], budgets: dict[str, float], reference: Path) -> str:
    """One process of parts; returns the one it did not end, or an empty word."""
    if check.left() < LEAST:
        for part in parts:
            check.take(name, {"part": part, "word": "left out: the time of the whole is over"})
        return ""
    settings = {
        "parts": parts, "lane": name, "dry": check.dry, "pretend": check.dry and name == "device", "reference": str(reference),
    }  # fmt: skip
    environment = dict(os.environ) | ({"JAX_PLATFORMS": "cpu"} if name == "core" else {})
    with (check.out / f"{name}.log").open("a", encoding="utf-8") as log:
        run = subprocess.Popen(
            [sys.executable, str(HERE / "device_parts.py"), json.dumps(settings)],
            stdout=subprocess.PIPE, stderr=log, text=True, env=environment, start_new_session=True,
        )  # fmt: skip
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_read, args=(run, lines), daemon=True).start()
    current, begin = parts[0], time.monotonic()
    while True:
        most = check.left() if check.dry else budgets[current] - (time.monotonic() - begin)
        budget = min(most, check.left())
        try:
            line = lines.get(timeout=max(0.0, budget))
        except queue.Empty:
            ended(run)
            which = "its time" if check.left() > 0 else "the time of the whole"
            check.take(
                name, {"part": current, "word": f"ended after {time.monotonic() - begin:.0f} s: {which} is over"}
            )
            return current
        if not line:
            break
        if not line.startswith("@"):
            continue
        said = json.loads(line[1:])
        if "begin" in said:
            current, begin = said["begin"], time.monotonic()
            print(f"{name}: {current}", file=sys.stderr, flush=True)
        check.take(name, said)
    if run.wait():
        last = (check.out / f"{name}.log").read_text(encoding="utf-8").strip().splitlines()
        check.take(name, {"part": current, "word": f"failed: {last[-1] if last else run.returncode}"})
        return current
    return ""


def _read(run: "subprocess.Popen[str]", lines: "queue.Queue[str]") -> None:
    assert run.stdout is not None
    for line in run.stdout:
        lines.put(line)
    lines.put("")


def ended(run: "subprocess.Popen[str]") -> None:
    """End a process and those that it started."""
    os.killpg(run.pid, signal.SIGKILL)  # its own session, so no other is meant
    run.wait()


def driver() -> str:
    """Name, driver and memory of the card, as its maker's tool says."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ""
    asked = [tool, "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, timeout=20)
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout.strip().splitlines()[0] if done.returncode == 0 and done.stdout.strip() else ""


def wrong(found: dict[str, Any]) -> list[str]:
    """Tests and results that failed, and parts that ended badly; what was left out for want of time is one in a dry run alone."""
    out = []
    for name, parts in found["lanes"].items():
        for part, of in parts.items():
            out += [f"{name}, {part}: {one}" for line in of["rows"] for one in line.get("failed", ())]
            if of.get("word", "").startswith("failed") or ("word" in of and found["machine"]["dry"]):
                out.append(f"{name}, {part}: {of['word']}")
    return out


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--dry", action="store_true", help="small sizes on this processor, to see that all of it runs")
    parser.add_argument(
        "--out", type=Path, default=Path("device-results"), help="folder of results.json and RESULTS-gpu.md"
    )
    parser.add_argument("--seconds", type=float, default=480, help="the most that the whole may take")
    parser.add_argument("--only", type=lambda text: text.split(","), help=f"some of {','.join(DEVICE)}")
    given = parser.parse_args()
    only = given.only or list(DEVICE)
    if unknown := sorted(set(only) - set(DEVICE)):
        parser.error(f"there is no part {', '.join(unknown)}. There are {', '.join(DEVICE)}.")
    given.out.mkdir(parents=True, exist_ok=True)
    for old in ("device.log", "core.log"):
        (given.out / old).unlink(missing_ok=True)
    machine = {
        "card": "" if given.dry else driver(), "processor": cpu_model(), "cores": os.cpu_count(), "python": platform.python_version(),
        "channelome": importlib.metadata.version("channelome"), "dry": given.dry,
    }  # fmt: skip
    until = time.monotonic() + given.seconds
    check = Check(given.out, until, given.dry, {"machine": machine, "about": {}, "lanes": {}})
    core = {part: most for part, most in CORE.items() if part in only or (part == "reference" and "agreement" in only)}
    if given.dry:
        core = {part: most for part, most in core.items() if part in ("reference", "neurons")}
    with tempfile.TemporaryDirectory() as folder:
        reference = Path(folder) / "reference.npz"
        device = {part: most for part, most in DEVICE.items() if part in only}
        lanes = [
            threading.Thread(target=lane, args=(check, name, budgets, reference))
            for name, budgets in (("core", core), ("device", device))
        ]
        for one in lanes:
            one.start()
        for one in lanes:
            one.join()
    check.found["seconds"] = given.seconds - check.left()
    check.write()
    text = device_report.page(check.found)
    (given.out / "RESULTS-gpu.md").write_text(text, encoding="utf-8")
    print(text)
    if mistakes := wrong(check.found):
        sys.exit("\n".join(["", "wrong:", *mistakes]))


if __name__ == "__main__":
    main()
