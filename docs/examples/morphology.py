"""A reconstructed cell looked at from all sides: its report, and a picture with its types, its tree, its compartments and their distances.

    python docs/examples/morphology.py CELL.swc [PICTURE.png]

docs/morphologies.png is that of tests/morphology/cells/pyramidal.swc.
"""

import sys

import matplotlib.pyplot as plt

import channelome as ch


def main(cell: str, picture: str) -> None:
    morph = ch.Morphology.from_file(cell)
    print(morph.report())
    comps = morph.discretise(ch.d_lambda(0.1), Ra="100 ohm cm", C="1 uF/cm^2")
    print(comps)

    figure = plt.figure(figsize=(10, 9), layout="constrained")
    panels = figure.subplot_mosaic([["types", "cut", "way"], ["tree"] * 3], height_ratios=(5, 3))
    morph.plot(ax=panels["types"])
    comps.plot(ax=panels["cut"])
    comps.plot(comps.distance, label="way from the soma (um)", ax=panels["way"])
    morph.plot_dendrogram(ax=panels["tree"])
    for name, title in {
        "types": "types",
        "cut": f"{len(comps)} compartments",
        "way": "distance",
        "tree": "dendrogram",
    }.items():
        panels[name].set_title(title, loc="left")
    figure.savefig(picture, dpi=80)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "morphology.png")
