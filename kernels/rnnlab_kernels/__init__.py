"""Triton kernels for recurrent nets; depends on torch and triton alone. None has been written yet."""
