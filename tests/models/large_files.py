"""Files of about 1 MB that were written to take time or memory: each is read, or refused, in 2 s and 300 MB."""

from collections.abc import Callable, Iterator

MB = 1_000_000
NETWORK = '{"schema": 1, "kind": "Network", "populations": {'


def _fill(unit: str, size: int = MB) -> str:
    return unit * (size // len(unit))


def _many(unit: str, n: int) -> str:
    return ",".join(unit.replace("#", str(k)) for k in range(n))


FILES: dict[str, Callable[[], str]] = {
    "a quoted key of many parts.toml": lambda: '"="' + _fill(".a") + " = 1",
    "a heading of many parts.toml": lambda: "[" + _fill("a.") + "a]",
    "a hexadecimal number.toml": lambda: "celsius = 0x" + _fill("f"),
    "a binary number.toml": lambda: "celsius = 0b" + _fill("1"),
    "a long number.json": lambda: '{"a": ' + _fill("9") + "}",
    "a long exponent.json": lambda: '{"a": 1e' + _fill("9") + "}",
    "empty lists.json": lambda: '{"a": [' + _fill("[],") + "[]]}",
    "empty lists.toml": lambda: "a = [" + _fill("[],") + "]",
    "deep tables.json": lambda: _fill('{"a":'),
    "deep lists.toml": lambda: "a = " + _fill("["),
    "headings.toml": lambda: _many("[a#]\n", 90_000).replace(",", ""),
    "tables in a list.toml": lambda: _fill("[[a]]\n"),
    "entries.toml": lambda: _many("a#=1\n", 99_000).replace(",", ""),
    "entries.json": lambda: "{" + _many('"a#":1', 99_000) + "}",
    "numbers.toml": lambda: "a = [" + _fill("1,") + "]",
    "numbers.json": lambda: '{"a": [' + _fill("1,") + "1]}",
    "fractions.toml": lambda: "a = [" + _fill("0.5,") + "]",
    "a flag among numbers.json": lambda: (
        '{"schema": 1, "V": {"unit": "mV", "value": [' + _fill("1,") + "true]}}"
    ),
    "empty texts.json": lambda: '{"a": [' + _fill('"",') + '""]}',
    "a long text.toml": lambda: 'title = "' + _fill("x") + '"',
    "escapes.toml": lambda: 'title = "' + _fill("\\n") + '"',
    "escaped quotes.toml": lambda: '"""' + _fill('\\"', 380_000),
    "quotes of three.toml": lambda: _fill('\\"""\n', 600_000),
    "lines of one quote.toml": lambda: _fill('"\n', 700_000),
    "comments.toml": lambda: _fill("#\n"),
    "blanks.json": lambda: _fill(" "),
    "channels.toml": lambda: "schema=1\n[channels]\n" + _many('a#={use="IL"}\n', 29_000).replace(",", ""),
    "quantities.json": lambda: (
        '{"schema":1,"channels":{' + _many('"a#":{"use":"IL","E":{"value":1,"unit":"mV"}}', 14_000) + "}}"
    ),
    "samples.json": lambda: (
        '{"schema":1,"channels":{'
        + _many('"a#":{"use":"IL","E":{"sample":"normal","mean":1,"std":1,"unit":"mV","seed":1}}', 11_000)
        + "}}"
    ),
    "groups of groups.json": lambda: (
        NETWORK + '"a": {"size": 1}}, "groups": {' + "".join(f'"g{k}": "g{k + 1}",' for k in range(40_000)) + '"z": "a"}}'
    ),
    "groups of many neurons.json": lambda: (
        NETWORK + '"a": {"size": 10000000, "C": "1 uF/cm^2", "V": "-65 mV"}}, "groups": {' + _many('"g#":"a"', 40_000) + "}}"
    ),
    "populations.json": lambda: NETWORK + _many('"p#":{"size":3,"C":"1 uF/cm^2","V":"-65 mV"}', 14_900) + "}}",
    "sources.json": lambda: NETWORK + _many('"p#":{"kind":"Poisson","size":3,"rate":"1 Hz"}', 4_900) + "}}",
    "projections.json": lambda: (
        NETWORK + '"a":{"size":3,"C":"1 uF/cm^2","V":"-65 mV","area":"20000 um^2"}},"projections":{'
        + _many(
            '"p#":{"pre":"a","post":"a","synapse":{"use":"Expon","tau":"5 ms","E":"0 mV"},"connect":{"rule":"all_to_all"},'
            '"weight":"1 nS"}', 7_000
        ) + "}}"
    ),
    "indices that are fractions.json": lambda: (
        NETWORK + '"a":{"kind":"SpikeSource","size":1,"times":{"value":[1],"unit":"ms"},"neurons":[' + _fill("0.0,") + "0]}}}"
    ),
}  # fmt: skip


def files() -> Iterator[tuple[str, str, bytes]]:
    """What each is, its suffix, its bytes."""
    for name, text in FILES.items():
        title, _, suffix = name.rpartition(".")
        yield title, f".{suffix}", text().encode()
