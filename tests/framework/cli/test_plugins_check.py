"""`rnnlab plugins check`: a line for each check, exit codes, JSON, and bad input in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rnnlab.cli.app import App
from rnnlab.cli.plugins_check import check
from rnnlab.errors import InputError
from rnnlab.testing import checks

FAULTS = Path(__file__).parents[1] / "testing" / "faults"


def invoke(*args: str) -> Result:
    return CliRunner().invoke(check, args, obj=App())


def test_a_plugin_that_is_right():
    result = invoke("preset", "digits")
    lines = result.output.splitlines()
    assert result.exit_code == 0
    assert lines[0] == "preset digits (rnnlab:presets)"
    assert [line.split()[:2] for line in lines[1:-1]] == [["ok", each.name] for each in checks("preset")]
    assert lines[-1] == f"{len(checks('preset'))} ok, 0 failed, 0 skipped"


def test_a_fault_is_named_with_what_to_look_at():
    result = invoke("--plugins-dir", str(FAULTS / "hooks"), "local:called")
    assert result.exit_code == 1
    (failed,) = [line for line in result.output.splitlines() if line.startswith("  failed")]
    assert (
        failed.split()[1] == "called" and "KeyError: 'f1'" in failed and "; look at the hook named" in failed
    )
    assert result.output.splitlines()[-1].split(", ")[1] == "1 failed"


def test_as_json():
    result = invoke("--plugins-dir", str(FAULTS / "preset"), "preset", "described", "--json")
    rows = {row["check"]: row for row in json.loads(result.output)}
    assert result.exit_code == 1
    assert set(rows) == {each.name for each in checks("preset")}
    assert (
        rows["described"]["result"] == "failed" and rows["described"]["look_at"] == "about.mode in the file"
    )
    assert rows["valid"] == rows["valid"] | {
        "kind": "preset",
        "name": "described",
        "result": "ok",
        "reason": "",
    }


def test_a_check_that_does_not_apply_is_no_failure():
    result = invoke("dataset", "conllu")
    assert result.exit_code == 0
    assert "it has options without a default; give them: train=..." in result.output


def test_options_reach_the_plugin(tmp_path):
    file = tmp_path / "few.tsv"
    words = [f"{n:b}" for n in range(2, 60)]
    file.write_text("label\ttext\n" + "".join(f"{word[-1]}\t{' '.join(word)}\n" for word in words))
    result = invoke("dataset", "text_classes", f"train={file}", "text=text")
    assert result.exit_code == 0, result.output
    assert " 0 skipped" in result.output


def test_a_check_left_out_is_shown_with_its_reason():
    args = ("--plugins-dir", str(FAULTS / "preset"), "preset", "described")
    result = invoke(*args, "--without", "described=it stays as it is")
    (line,) = [line for line in result.output.splitlines() if line.split()[:2] == ["left", "out"]]
    assert line.split(maxsplit=3)[2:] == ["described", "it stays as it is"]
    assert result.exit_code == 0 and result.output.splitlines()[-1].endswith("1 left out")
    rows = json.loads(invoke(*args, "--without", "described=as it is", "--json").output)
    (row,) = [row for row in rows if row["result"] == "left out"]
    assert (row["check"], row["reason"]) == ("described", "as it is")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["preset", "digits", "--without", "vald=x"], "no check 'vald' for a preset; did you mean 'valid'?"),
        (["preset", "digits", "--without", "valid"], "--without: expected CHECK=REASON, got 'valid'"),
        (["preset", "digits", "--without", "valid="], "expected a reason to leave out 'valid', got none"),
        (["cel", "lstm"], "unknown kind 'cel'; did you mean 'cell'?"),
        (["lstmm"], "no plugin 'lstmm' is installed; did you mean 'lstm'?"),
        (["cell", "lstm", "forget_bias=x"], "lstm.forget_bias: expected a number or null, got 'x'"),
        (["a", "b", "c"], "expected NAME or KIND NAME, got a b c"),
        (["leak=0.1"], "expected NAME or KIND NAME, got no name"),
        (["hooks", "rnnlab:cells"], "plugin 'rnnlab:cells' has no lifecycle hooks"),
    ],
)
def test_bad_input_is_one_line(words, message):
    result = invoke(*words)
    assert isinstance(result.exception, InputError)
    assert result.exception.exit_code == 2
    assert message in str(result.exception) and "\n" not in str(result.exception)


def test_a_plugin_that_did_not_load_says_why(tmp_path):
    (tmp_path / "broken.py").write_text("def broken(:\n")
    result = invoke("--plugins-dir", str(tmp_path), "broken")
    assert isinstance(result.exception, InputError)
    assert "SyntaxError" in str(result.exception) and str(tmp_path / "broken.py") in str(result.exception)
