"""The recurrent stack: what every cell gets, whoever wrote it, and the backends that run it."""
