"""Notes of a release, out of CHANGELOG.md.

    python release/notes.py [--tag channelome-tm1991-v0.1.0]

Printed is the section of the version; of a version that has none, and without a tag, what is unreleased.
"""

import argparse
import re

import dist


def sections(text: str) -> dict[str, str]:
    """The sections of the changelog by version."""
    parts = re.split(r"^## \[?([^\]\s]+)\]?.*\n", text, flags=re.M)
    return dict(zip(parts[1::2], map(str.strip, parts[2::2]), strict=True))


def notes(tag: str | None) -> str:
    found = sections((dist.ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    if tag is None:
        return found["Unreleased"]
    name = dist.of_tag(tag)
    version = dist.version_of(name)
    install = f'pip install "{name}=={version}"'
    return f"# {name} {version}\n\n```console\n$ {install}\n```\n\n{found.get(version, found['Unreleased'])}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tag")
    print(notes(parser.parse_args().tag))


if __name__ == "__main__":
    main()
