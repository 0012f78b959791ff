"""How much memory there is to take: what is asked for is compared with it before the work begins."""

import contextlib
import math
import os
from collections.abc import Iterator
from pathlib import Path

_CGROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)


def available() -> float:
    """Bytes that this process can still take, as far as the machine, a container and `ulimit -v` say; infinite where none does."""
    return min((max(left, 0.0) for left in _left()), default=math.inf)


def shown(n: float) -> str:
    """Bytes for people: ``1.5 GiB``."""
    return f"{n / 2**30:,.3g} GiB" if n >= 2**30 else f"{n / 2**20:,.3g} MiB"


def _left() -> Iterator[float]:
    with contextlib.suppress(AttributeError, OSError, ValueError):  # not on Windows
        yield float(os.sysconf("SC_PAGE_SIZE")) * os.sysconf("SC_PHYS_PAGES")
    lines = (line.partition(":") for line in _text("/proc/meminfo").splitlines())
    yield from (1024.0 * int(rest.split()[0]) for name, _, rest in lines if name == "MemAvailable")
    for limit, usage in _CGROUPS:
        most, used = _text(limit), _text(usage)
        if most.isdecimal() and used.isdecimal():  # "max" where there is none
            yield float(most) - float(used)
    try:
        import resource
    except ImportError:  # not on Windows
        return
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    pages = _text("/proc/self/statm").split()
    if soft != resource.RLIM_INFINITY and pages:
        yield float(soft) - float(pages[0]) * resource.getpagesize()


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
