"""MLflow, and the only place that imports it: the shipper, its store, the UI server."""
