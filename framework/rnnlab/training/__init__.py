"""One run in one process: assemble, train, evaluate, checkpoint. Never imports mlflow or textual."""
