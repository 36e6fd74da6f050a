"""Configuring and starting runs without a terminal: fields from JSON schemas, the command line, launching."""

from rnnlab.dashboard.form.command import Change, Command
from rnnlab.dashboard.form.consult import Consultant, Verdict
from rnnlab.dashboard.form.estimate import Estimate, PastRun, estimate, past_runs
from rnnlab.dashboard.form.field import Field, Option, Section
from rnnlab.dashboard.form.form import Form
from rnnlab.dashboard.form.launch import Launcher, Outcome
from rnnlab.dashboard.form.plan import Plan

__all__ = [
    "Change",
    "Command",
    "Consultant",
    "Estimate",
    "Field",
    "Form",
    "Launcher",
    "Option",
    "Outcome",
    "PastRun",
    "Plan",
    "Section",
    "Verdict",
    "estimate",
    "past_runs",
]
