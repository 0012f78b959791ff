"""What `device.py` found, as a page of markdown."""

import datetime
from typing import Any

from report import table_line

UNITS = {"ns per neuron and step": 1e9, "us per step": 1e6}
"""Units of time for which the card's memory sets a limit: how many make a second."""
TITLES = {
    "card": "The machine", "agreement": "Right: differences from the processor's float64", "tests": "Right: tests on the device",
    "neurons": "Point neurons", "networks": "Networks", "delivery": "Ways of delivery", "cables": "Reconstructed cells", "sweep": "A sweep",
    "compiling": "Compiling", "peers": "Peers",
}  # fmt: skip


def page(found: dict[str, Any]) -> str:
    """All of it."""
    lanes = found["lanes"]
    device, core = lanes.get("device", {}), lanes.get("core", {})
    bandwidth = next((row["value"] for row in device.get("card", {}).get("rows", ()) if row["unit"] == "GB/s"), None)
    pages = [_header(found)]
    for part, title in TITLES.items():
        if part not in device:
            continue
        of = device[part]
        pages += ["", f"## {title}", ""]
        if "seconds" in of:
            pages.append(f"{of['seconds']:.0f} s in all.")
        pages += [
            f"On the {name}: {lane[part]['word']}." for name, lane in lanes.items() if lane.get(part, {}).get("word")
        ]
        pages.append("")
        if part == "agreement":
            pages += _agreement(of["rows"])
        elif part == "tests":
            pages += _tests(of["rows"])
        else:
            pages += _speeds(of["rows"], core.get(part, {}).get("rows", []), bandwidth)
    return "\n".join(pages) + "\n"


def _header(found: dict[str, Any]) -> str:
    machine, about = found["machine"], found["about"].get("device", {})
    card = machine["card"] or about.get("kind", "no device")
    dry = " **A dry run: small sizes on a processor; its figures say nothing.**" if machine["dry"] else ""
    return (
        f"# Results on an accelerator\n\nWritten by `benchmarks/device.sh` on {datetime.date.today()}, in {found.get('seconds', 0):.0f} s; what is "
        f"measured and how: `README.md`.{dry} Card (name, driver, memory): {card}; JAX {about.get('jax', '-')} on {about.get('platform', '-')}. "
        f"Beside it one core of {machine['processor']} ({machine['cores']} cores), Python {machine['python']}, channelome {machine['channelome']}. "
        "The limit is what the card's memory, at the speed measured, takes to read and write the state once."
    )


def _agreement(rows: list[dict[str, Any]]) -> list[str]:
    """Each case, beside what is allowed."""
    lines = [
        table_line(["case", "differs by", "allowed", "the processor in that precision", ""]),
        table_line(["---"] * 5),
    ]
    for row in rows:
        if "tolerance" in row:
            said = "wrong" if row["failed"] else "right"
            lines.append(
                table_line([row["what"], f"{row['value']:.1e}", f"{row['tolerance']:.0e}", f"{row['core']:.1e}", said])
            )
    return lines


def _tests(rows: list[dict[str, Any]]) -> list[str]:
    passed, failed = sum(row["value"] for row in rows), sum(len(row["failed"]) for row in rows)
    lines = [f"{passed} passed and {failed} failed, of {len(rows)} files."]
    return lines + [f"- `{row['what']}`: `{name}`" for row in rows for name in row["failed"]]


def _speeds(rows: list[dict[str, Any]], core: list[dict[str, Any]], bandwidth: float | None) -> list[str]:
    """Device and core side by side, how much faster the device is, and how far from the limit."""
    beside = {row["what"]: row["value"] for row in core}
    lines = [
        table_line(["", "unit", "device", "one core", "device is faster", "limit", "more"]),
        table_line(["---"] * 7),
    ]
    for row in rows:
        value, other = row["value"], beside.get(row["what"])
        limit = ""
        if bandwidth and "bytes" in row:
            limit = f"{row['bytes'] / (bandwidth * 1e9) * UNITS[row['unit']]:.3g}"
        more = {key: x for key, x in row.items() if key not in ("what", "unit", "value", "bytes") and x != []}
        words = ", ".join(f"{key} {x:.4g}" if isinstance(x, float) else f"{key} {x}" for key, x in more.items())
        faster = (
            ""
            if other is None or not value or row["unit"] in ("GiB", "relative")
            else f"{_faster(row['unit'], value, other):.3g}x"
        )
        shown = ["" if other is None else f"{other:,.4g}", faster, limit, words]
        lines.append(table_line([row["what"], row["unit"], f"{value:,.4g}", *shown]))
    return lines


def _faster(unit: str, value: float, other: float) -> float:
    return value / other if unit.endswith("/s") else other / value
