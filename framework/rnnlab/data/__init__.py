"""From examples to batches: vocabularies, encoding, digests, length-bucketed batches in memory."""
