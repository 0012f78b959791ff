"""What compiling costs: seconds to trace and to compile, lines and fusions of the compiled program, by number of gates."""

import time
from typing import Any

import channelome_cell
import jax
from plain_jnp import CURRENT, DT

import channelome as ch


def with_gates(gates: int) -> Any:
    """A TM1991 neuron with so many gates: sodium channels (two gates) and potassium channels (one), about half and half."""
    sodium = gates // 3
    channels = {
        f"INa{k}": ch.channel("INa_TM1991", V_sh=(-63 + 0.1 * k, "mV"), g_max="1 mS/cm^2") for k in range(sodium)
    }
    channels |= {
        f"IK{k}": ch.channel("IK_TM1991", V_sh=(-63 + 0.1 * k, "mV"), g_max="1 mS/cm^2")
        for k in range(gates - 2 * sodium)
    }
    ions = (ch.ion("SodiumFixed"), ch.ion("PotassiumFixed"))
    return ch.SingleCompartment(100, *ions, IL=ch.channel("IL"), **channels)


def measure(many: tuple[int, ...] = (10, 20, 40)) -> list[dict[str, Any]]:
    """A row for the TM1991 neuron and for cells of so many gates; one process, nothing cached."""
    cells = {"TM1991, 3 gates": channelome_cell.cell(100)}
    cells |= {f"{gates} gates": with_gates(gates) for gates in many}
    return [{"cell": name, **_cost(cell)} for name, cell in cells.items()]


def _cost(cell: Any) -> dict[str, Any]:
    def run() -> Any:
        return ch.simulate(cell, (100 * DT, "ms"), dt=(DT, "ms"), stimulus=(CURRENT, "uA/cm^2"), progress=False)

    jax.clear_caches()
    begin = time.perf_counter()
    run()
    first = time.perf_counter()
    run()
    second = time.perf_counter()
    chunk, arguments = channelome_cell.program_of(run)
    jax.clear_caches()
    traced = time.perf_counter()
    lowered = chunk.lower(*arguments)
    compiling = time.perf_counter()
    text = lowered.compile().as_text()
    compiled = time.perf_counter()
    step = _body(text)
    return {
        "first_call": first - begin, "second_call": second - first,
        "trace": compiling - traced, "compile": compiled - compiling,
        "lines": len(text.splitlines()), "fusions": text.count(" fusion("),
        "step_fusions": step.count(" fusion("), "step_copies": step.count(" copy("),
    }  # fmt: skip


def _body(text: str) -> str:
    """The computation that the loop over steps runs."""
    name = text.partition("body=%")[2].partition(",")[0].partition(" ")[0]
    return next((part for part in text.split("\n\n") if part.startswith(f"%{name} ")), "")
