"""The filter language: what matches, what does not, and what a mistake is told."""

import math
from contextlib import suppress
from pathlib import Path

import pytest

from rnnlab.dashboard.feed.query import QueryError, parse
from rnnlab.dashboard.feed.snapshot import RunSnapshot

RUN = RunSnapshot(
    id="digits-lstm-1123-092242-6758",
    path=Path("x"),
    state="running",
    step=100,
    total_steps=400,
    last={"val/loss": 0.25, "train/loss": math.nan, "best/accuracy": 0.9},
    best={"val/accuracy": 0.9},
    monitor="accuracy",
    config={
        "name": "Two Words",
        "seed": 3,
        "cell.type": "lstm",
        "task.type": "sequence_labelling",
        "stack.hidden_size": 64,
        "stack.bidirectional": True,
        "stack.dropout": 0.0,
        "dataset.limit": None,
    },
    backend="torch",
)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "  ",
        "digits",
        "DIGITS 6758",
        '"two words"',
        'name:"two words"',
        "name:two",
        "cell:lstm",
        "cell:LSTM,rnn",
        "task:*label*",
        "backend:torch",
        "state:running",
        "-state:failed,crashed",
        "val/loss<0.3",
        "val/loss<=.25 val/loss>=25e-2",
        "val/loss=0.25",
        "val/loss!=0.3",
        "best/accuracy>0.8",
        "score>0.8",
        "step>=100 step<101",
        "progress=0.25",
        "seed=3",
        "stack.hidden_size=64",
        "stack.hidden_size:64",
        "stack.bidirectional=true",
        "stack.bidirectional:true",
        "stack.dropout=0",
        "dataset.limit=null",
        "-test/loss<1",
        "cell:lstm -rnn digits val/loss<0.3",
        "val/loss>-1",
    ],
)
def test_matches(query):
    assert parse(query).matches(RUN)


@pytest.mark.parametrize(
    "query",
    [
        "stress",
        "two words 1999",
        "cell:rnn",
        "cell:lst",
        "-cell:lstm",
        "state:finished",
        "val/loss<0.25",
        "val/loss!=0.25",
        "train/loss<1",
        "train/loss>1",
        "test/loss<1",
        "stack.hidden_size>64",
        "stack.bidirectional=1",
        "no.such_option=1",
        "eta<5",
        "cell:lstm val/loss>0.3",
        "-digits",
    ],
)
def test_does_not_match(query):
    assert not parse(query).matches(RUN)


@pytest.mark.parametrize(
    ("query", "position", "message"),
    [
        ("cel:lstm", 0, "expected a field, got 'cel'; did you mean 'cell'?"),
        ("ok stpe>3", 3, "expected a field, got 'stpe'; did you mean 'step'?"),
        ("val/loss<", 9, "expected a number after '<', got nothing; write for example val/loss<0.3"),
        ("cell:", 5, "expected a value after ':', got nothing; write for example cell:lstm"),
        ("step>x", 5, "expected a number after '>', got 'x'; words can be compared with : and = only"),
        ('a "b', 2, 'expected a closing quote, got the end after "b; add one'),
        ("a <3", 2, "expected a key before '<', got nothing; write for example val/loss<0.3"),
        ("state:runing", 6, "expected a state, got 'runing'; did you mean 'running'?"),
        ('""', 0, 'expected a word, got ""; write a part of a run\'s name or take it out'),
        ("-", 0, "expected a word, got -; write a part of a run's name or take it out"),
    ],
)
def test_mistakes_are_one_line_with_their_place(query, position, message):
    with pytest.raises(QueryError) as caught:
        parse(query)
    assert str(caught.value) == message
    assert caught.value.position == position


def test_half_typed_queries_never_fail_otherwise():
    whole = 'cell:lstm -state:failed "two words" val/loss<=0.3 stack.hidden_size!=64 --x'
    read = 0
    for place in range(len(whole)):
        for query in (whole[:place], whole[place:]):
            with suppress(QueryError):
                parse(query)
                read += 1
    assert read > len(whole)


def test_quotes_keep_signs():
    assert not parse('"val/loss<0.3"').matches(RUN)
