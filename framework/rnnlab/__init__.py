"""rnnlab: a lab for recurrent neural networks. Plugin authors import from `rnnlab.api`."""

__version__ = "0.1.0"
