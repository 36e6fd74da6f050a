"""Layers over the ops: drop-ins for nn.LSTM and nn.RNN."""
