"""Any text is a class, or an error that says what and where: never another exception."""

import os
import random
from pathlib import Path

from channelome_nmodl.load import understood
from channelome_nmodl.text import NmodlError, source

FILES = sorted((Path(__file__).parent / "mods").glob("*.mod"))
COUNT = int(os.environ.get("CHANNELOME_FUZZ", "400"))
"""Mutated files; CHANNELOME_FUZZ=100000 for a night."""
SEED = 20260
WORDS = [
    "{",
    "}",
    "(",
    ")",
    "'",
    "=",
    "^",
    "<",
    ">",
    "~",
    "<->",
    "if",
    "else",
    "FROM",
    "WHILE",
    "SOLVE",
    "STATE",
    "v",
    "n",
    "m",
    "t",
    "dt",
    "0",
    "1e999",
    "-1",
    "1e-320",
    "VERBATIM",
    "ENDVERBATIM",
    ":",
    "[",
    "]",
    ",",
    "INCLUDE",
    '"',
    "\x00",
    "é",
]


def mutated(text: str, draw: random.Random) -> str:
    for _ in range(draw.randint(1, 6)):
        at = draw.randrange(len(text))
        way = draw.randrange(5)
        end = min(len(text), at + draw.randint(1, 30))
        if way == 0:
            text = text[:at] + text[end:]
        elif way == 1:
            text = text[:at] + draw.choice(WORDS) + text[at:]
        elif way == 2:
            text = text[:at] + text[at:end] * 2 + text[end:]
        elif way == 3:
            other = draw.randrange(len(text))
            text = text[:at] + text[other : other + 25] + text[at:]
        else:
            text = text[:at] + chr(draw.randrange(1, 300)) + text[at + 1 :]
    return text or " "


def test_mutated_files_are_classes_or_errors_that_say_why():
    draw = random.Random(SEED)
    texts = [path.read_text(encoding="utf-8") for path in FILES]
    refused = 0
    for number in range(COUNT):
        text = mutated(draw.choice(texts), draw)
        try:
            understood(source(text, "mutated.mod"), Path(__file__).parent / "mods")
        except NmodlError as error:
            refused += str(error) != ""
        except Exception as error:
            raise AssertionError(f"mutant {number} of seed {SEED}: {error!r}\n{text}") from error
    assert COUNT // 4 < refused < COUNT
