from dataclasses import asdict, replace

import pytest
from cases import Case, all_cases, choose, from_record, predict


def test_the_shapes_that_are_promised() -> None:
    cases = all_cases()
    flashrnn = [case for case in cases if case.group == "flashrnn" and case.part == "recurrence"]
    assert {case.head_size for case in flashrnn} == {32, 64, 128, 256, 768}
    assert {(case.batch_size, case.seq_len, case.hidden_size) for case in flashrnn} == {(16, 1024, 768)}
    for dtype in ("bfloat16", "float16", "float32", "tf32"):
        sizes = {
            (case.hidden_size, case.batch_size)
            for case in cases
            if (case.group, case.dtype, case.part) == ("sizes", dtype, "layer")
        }
        assert sizes == {(h, b) for h in (64, 128, 256, 512, 768, 1024, 2048) for b in (1, 16, 64, 256)}
    assert any(case.ragged for case in cases)
    assert any(case.num_layers == 2 for case in cases)
    assert any(case.directions == 2 for case in cases)


def test_names_tell_cases_apart() -> None:
    names = [case.name for case in all_cases()]
    assert len(names) == len(set(names))


def test_a_record_gives_its_case_back() -> None:
    for case in all_cases():
        assert from_record(asdict(case) | {"name": case.name, "rows": []}) == case


def test_quick_cases_come_first() -> None:
    quick = [case.quick for case in all_cases()]
    assert quick == sorted(quick, reverse=True)
    assert choose(quick=True, tiny=False) == all_cases()[: sum(quick)]


def test_only_takes_whole_words() -> None:
    found = choose(quick=False, tiny=False, only="sizes H64 B1")
    assert found
    assert {(case.hidden_size, case.batch_size) for case in found} == {(64, 1)}


def test_shrunk_cases_are_small_and_keep_what_they_ask() -> None:
    cases = choose(quick=True, tiny=True)
    assert max(case.seq_len * case.batch_size * case.hidden_size for case in cases) <= 5 * 3 * 16
    whole = choose(quick=True, tiny=False)
    for field in ("group", "dtype", "cell", "part", "num_layers", "directions", "ragged"):
        assert {getattr(case, field) for case in cases} == {getattr(case, field) for case in whole}
    assert {case.heads for case in cases} == {1, 2}


def test_predict_by_hand() -> None:
    case = Case("sizes", "bfloat16", seq_len=100, batch_size=1, input_size=8, hidden_size=8)
    # A call of 100 steps of 2 µs is 0.2 ms: both passes are sampled for the whole 0.1 s. The check is 0.2 s
    # and 1 ms a step.
    assert predict(case, 2, 0.1) == pytest.approx(2 * (0.1 + 0.1 + 0.2) + 0.3)
    large = replace(case, batch_size=256, input_size=2048, hidden_size=2048)
    step = 2 * 256 * 4 * 2048 * 4096 / 1e14
    assert predict(large, 2, 0.1) == pytest.approx(2 * (8 * 100 * step + 24 * 100 * step + 0.2) + 0.3)
