"""Any text is a class or a cell, or an error that says what and where: never another exception, never a look outside the folder."""

import os
import random
import re
import warnings
from pathlib import Path

import pytest
from channelome_neuroml import text
from channelome_neuroml.cells import load_cell
from channelome_neuroml.document import Document, Texts
from channelome_neuroml.load import outcomes
from channelome_neuroml.text import NeuroMLError

import channelome as ch

NML = Path(__file__).parent / "nml"
FILES = {path.name: path.read_bytes() for path in sorted(NML.glob("*.nml"))}
COUNT = int(os.environ.get("CHANNELOME_FUZZ", "400"))
"""Mutated files; CHANNELOME_FUZZ=100000 for a night."""
SEED = 20261
WORDS = ["<", ">", "/>", "&lt;", '"', "'", "<gate ", "per_ms", "mV", "-1", "1e999", "0", "NaN", "^", "(", ")", ".gt.", ".and.", "exp(", "v", "caConc",
         "<include href=\"kv.channel.nml\"/>", "<!--", "-->", "<![CDATA[", "&#x41;", "é", "id", "type", "_", "]]>"]  # fmt: skip


def mutated(data: str, draw: random.Random) -> str:
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(data))
        way = draw.randrange(6)
        end = min(len(data), at + draw.randint(1, 30))
        if way == 0:
            data = data[:at] + data[end:]
        elif way == 1:
            data = data[:at] + draw.choice(WORDS) + data[at:]
        elif way == 2:
            data = data[:at] + data[at:end] * 2 + data[end:]
        elif way == 3:
            lines = data.splitlines(keepends=True)
            one, other = draw.randrange(len(lines)), draw.randrange(len(lines))
            lines[one], lines[other] = lines[other], lines[one]
            data = "".join(lines)
        elif way == 4:  # the value of an attribute for another one's
            values = data.split('"')[1::2]
            old, new = draw.choice(values or [data[:1]]), draw.choice(values or [data[:1]])
            data = data.replace(f'"{old}"', f'"{new}"', 1)
        else:
            data = data[:at] + chr(draw.randrange(32, 300)) + data[at + 1 :]
    return data or " "


def test_mutated_files_are_classes_or_errors_that_say_why():
    draw = random.Random(SEED)
    refused = made = 0
    for number in range(COUNT):
        name = draw.choice([*FILES])
        data = mutated(FILES[name].decode(), draw)
        files = {**FILES, name: data.encode()}
        texts = Texts(name, ((name, files.pop(name)), *files.items()))
        try:
            for one in outcomes(Document(None, texts=texts)):
                refused += one.refusal != ""
                made += one.refusal == ""
        except NeuroMLError as error:
            refused += str(error).startswith(name)
        except Exception as error:
            raise AssertionError(f"mutant {number} of seed {SEED}: {error!r}\n{data}") from error
    assert refused > COUNT // 4
    assert made > COUNT // 2


def test_mutated_cells_are_cells_or_errors_that_say_why(tmp_path: Path):
    draw = random.Random(SEED)
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)
    refused = 0
    for number in range(COUNT // 5):
        data = mutated(FILES["branched.cell.nml"].decode(), draw)
        (tmp_path / "mutant.nml").write_text(data, encoding="utf-8")
        try:
            load_cell(tmp_path / "mutant.nml", celsius="10 degC")
        except NeuroMLError as error:
            refused += str(error) != ""
        except Exception as error:
            raise AssertionError(f"cell {number} of seed {SEED}: {error!r}\n{data}") from error
    assert COUNT // 20 < refused < COUNT // 5


HEAD = '<neuroml xmlns="http://www.neuroml.org/schema/neuroml2">'
CHANNEL = '<ionChannelHH id="x" conductance="1pS" species="k"><gateHHrates id="n" instances="1">{}</gateHHrates></ionChannelHH></neuroml>'
RATE = '<{} type="HHExpRate" rate="{}" midpoint="{}" scale="10mV"/>'
REVERSE = RATE.format("reverseRate", "1per_ms", "0mV")
BAD = {
    "not XML": ("<neuroml><a></neuroml>", r"bad.nml, line 1, column 15: it is not XML: mismatched tag"),
    "NeuroML 1": ('<neuroml xmlns="http://morphml.org/neuroml/schema"/>', r"line 1, column 1: this is NeuroML 1; version 2 is read"),
    "ChannelML": ('<channelml xmlns="http://morphml.org/channelml/schema"/>', r"line 1, column 1: this is NeuroML 1; version 2 is read"),
    "one place": ('<!DOCTYPE x SYSTEM "x.dtd"><neuroml/>', r"^bad\.nml, line 1, column \d+: it declares a document type"),
    "empty": ("", r"bad.nml, line 1, column 1: it is not XML: no element found"),
    "a bomb": ('<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><neuroml>&b;</neuroml>', r"column 1\d?: it declares a document type"),
    "another file": ('<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd"><neuroml/>', r"declares a document type"),
    "deep": ("<neuroml>" + "<a>" * 100_000, r"column \d+: elements stand in one another more than 64 deep"),
    "no NeuroML": ("<svg/>", r"begins with <neuroml>, or <Lems>, not with <svg>"),
    "an encoding": ('<?xml version="1.0" encoding="klingon"?><neuroml/>', r"it is not XML"),
    "nothing": (f"{HEAD}</neuroml>", r"holds no channel, concentration model or synapse"),
    "a unit": (HEAD + CHANNEL.format(RATE.format("forwardRate", "1 per_fortnight", "0mV") + REVERSE), r"line 1, column \d+: rate of forwardRate = '1 per_fortnight': the unit 'per_fortnight' is not known"),
    "a dimension": (HEAD + CHANNEL.format(RATE.format("forwardRate", "1per_ms", "3 ms") + REVERSE), r"midpoint of forwardRate = '3 ms' is no voltage"),
    "a rate missing": (HEAD + CHANNEL.format(REVERSE), r"gateHHrates 'n', a gateHHrates, has no forwardRate"),
    "an unknown type": (HEAD + CHANNEL.format('<forwardRate type="Magic"/>' + REVERSE), r"the type 'Magic' is neither NeuroML's nor defined"),
    "an infinite number": (HEAD + CHANNEL.format(RATE.format("forwardRate", "1e999 per_ms", "0mV") + REVERSE), r"1e999 per_ms' is too large a number"),
    "two gates": (HEAD + '<ionChannelHH id="x" conductance="1pS">' + 2 * ('<gateHHrates id="n" instances="1">' + RATE.format("forwardRate", "1per_ms", "0mV") + REVERSE + "</gateHHrates>") + "</ionChannelHH></neuroml>", r"two gates are called 'n'"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_what_is_wrong_is_said_with_its_place(what: str, tmp_path: Path):
    data, said = BAD[what]
    (tmp_path / "bad.nml").write_text(data, encoding="utf-8")
    with pytest.raises(NeuroMLError, match=said):
        ch.load_channel(tmp_path / "bad.nml")


EXPRESSIONS = {
    "__import__('os')": r"'_*import_*\('|cannot be read",
    "rate * v": r"is said to be a per_time",
    "rate + v": r"adds a per_time and a voltage",
    "exp(v) * rate": r"exp\(\) is of a voltage, not of a number",
    "rate * random(1)": r"random numbers are not followed",
    "rate * nothing": r"uses 'nothing', which stands for nothing there",
    "rate * (1": r"a bracket is not closed",
    "rate * " + "(" * 5000 + "1" + ")" * 5000: r"stand in one another too deep|longer than expressions are",
    "rate *": r"it ends too early",
    "rate * 2^-": r"it ends too early",
    "3 * -2 ^ 2 * rate": r"simulators do not agree on a minus before a power",
    "r": r"depends on itself",
    "rate * floor(2)": r"floor\(\) is no function that is known here",
    "v .gt. 0": r"is a condition, not a number",
}


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=lambda text: text[:20])
def test_expressions_are_read_and_never_run(expression: str, tmp_path: Path):
    (tmp_path / "bad.nml").write_text(
        f'{HEAD}<ComponentType name="mine" extends="baseHHRate"><Dynamics><DerivedVariable name="r" exposure="r" dimension="per_time" '
        f'value="{expression}"/></Dynamics></ComponentType>'
        + CHANNEL.format('<forwardRate type="mine" rate="1per_ms" midpoint="0mV" scale="1mV"/>' + REVERSE),
        encoding="utf-8",
    )
    with pytest.raises(NeuroMLError, match=rf"bad.nml, line 1, column \d+.*({EXPRESSIONS[expression]})"):
        ch.load_channel(tmp_path / "bad.nml")


def test_an_include_never_leaves_the_folder(tmp_path: Path):
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "kv.channel.nml").write_bytes(FILES["kv.channel.nml"])
    (inside / "link.nml").symlink_to(tmp_path / "kv.channel.nml")
    for wanted in (
        "../kv.channel.nml",
        "link.nml",
        str(tmp_path / "kv.channel.nml"),
        "http://127.0.0.1/kv.channel.nml",
        "file:///etc/passwd",
    ):
        data = FILES["ball.cell.nml"].decode().replace("kv.channel.nml", wanted)
        (inside / "gates.nml").write_bytes(FILES["gates.nml"])
        (inside / "ball.nml").write_text(data, encoding="utf-8")
        with pytest.raises(
            NeuroMLError,
            match=r"names 'kv', which is not in the file or what it includes\. Not read: .* (leads out of the folder|is no name of a file|is not there)",
        ):
            ch.load(inside / "ball.nml")
    data = FILES["ball.cell.nml"].decode().replace("kv.channel.nml", "../kv.channel.nml")
    (inside / "ball.nml").write_text(data, encoding="utf-8")
    assert load_cell(inside / "ball.nml", folder=tmp_path).celsius == 10.0  # who asks may say where to look


def test_files_that_include_one_another_are_read_once(tmp_path: Path):
    for one, other in (("a", "b"), ("b", "a")):
        (tmp_path / f"{one}.nml").write_text(
            f'{HEAD}<include href="{other}.nml"/><ionChannelPassive id="{one}" conductance="1pS"/></neuroml>'
        )
    assert ch.load_channel(tmp_path / "a.nml").__name__ == "a"


def test_a_file_that_is_far_too_long_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(text, "LARGEST", 100)
    (tmp_path / "long.nml").write_text(" " * 200)
    with pytest.raises(NeuroMLError, match="has more than 100 bytes"):
        ch.load_channel(tmp_path / "long.nml")


def test_of_several_channels_those_refused_are_named(tmp_path: Path):
    (tmp_path / "two.nml").write_text(
        f'{HEAD}<ionChannelPassive id="good" conductance="1pS"/><ionChannelHH id="bad" conductance="1pS"><gateMagic id="n"/></ionChannelHH></neuroml>'
    )
    with pytest.warns(UserWarning, match="left out: two.nml, line 1.*gateMagic"):
        assert ch.load_channel(tmp_path / "two.nml").__name__ == "good"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ch.ModelError, match="holds no synapse"):
            ch.load_synapse(tmp_path / "two.nml")


CELLS = {
    "another channel": ('ionChannel="cal"', 'ionChannel="calm"', r"names 'calm', which is not in the file"),
    "another group": ('ion="na" segmentGroup="soma_group"', 'ion="na" segmentGroup="axons"', r"is on the group 'axons', which the morphology has not"),
    "no temperature": ('type="networkWithTemperature" temperature="10 degC"', "", r"channelome_neuroml.cells.load_cell\(path, celsius=...\) does"),
    "half a capacitance": ('<specificCapacitance value="1.5 uF_per_cm2" segmentGroup="dendrite_group"/>', "", r"it is on 'soma_group' alone"),
    "a metric": ("Path Length from root", "Straight line", r"the metric 'Straight line' is not followed"),
    "a negative density": ("20 * exp(-p / 80)", "20 - p", r"is no number from 0 everywhere"),
    "a circle": ('<include segmentGroup="soma_0"/>', '<include segmentGroup="soma_group"/>', r"run in a circle"),
    "a segment": ('<member segment="3"/>', '<member segment="33"/>', r"there is no segment 33"),
}  # fmt: skip


@pytest.mark.parametrize("what", CELLS)
def test_a_cell_that_cannot_be_meant_is_refused_with_the_reason(what: str, tmp_path: Path):
    old, new, said = CELLS[what]
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)
    data = FILES["branched.cell.nml"].decode()
    assert old in data
    (tmp_path / "bad.nml").write_text(data.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(NeuroMLError, match=said):
        ch.load(tmp_path / "bad.nml")


@pytest.mark.parametrize("tag", ['<OnCondition test="v .gt. k">', '<OnEvent port="in">'])
def test_what_a_rate_does_at_once_is_refused(tag: str):
    end = tag.partition(" ")[0].replace("<", "</")
    held = f"""<neuroml><ComponentType name="mine" extends="baseVoltageDepRate"><Parameter name="k" dimension="voltage"/><Constant name="R" dimension="per_time" value="1per_ms"/>
<Dynamics>{tag}<StateAssignment variable="q" value="0"/>{end}><DerivedVariable name="r" exposure="r" dimension="per_time" value="R * exp(v / k)"/></Dynamics>
</ComponentType><ionChannelHH id="x" conductance="10pS"><gateHHrates id="m" instances="1"><forwardRate type="mine" k="9mV"/>
<reverseRate type="HHExpRate" rate="4per_ms" midpoint="-65mV" scale="-18mV"/></gateHHrates></ionChannelHH></neuroml>"""
    (found,) = outcomes(Document(None, texts=Texts("bad.nml", (("bad.nml", held.encode()),))))
    assert re.match(
        r"bad\.nml, line 2, column \d+: On(Condition|Event) of a ComponentType is not followed there", found.refusal
    )
