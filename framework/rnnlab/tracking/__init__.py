"""MLflow, and the only place that imports it: the shipper, its store, the UI server.

`launch`, `links`, `record`, `relocate`, `server` and `guard` import no mlflow: training, the dashboard and
the command line may use them freely.
"""
