"""What is installed, as plain data from another process: plugins may import torch, the dashboard may not."""

from rnnlab.dashboard.catalogue.catalogue import Catalogue
from rnnlab.dashboard.catalogue.installation import Installation
from rnnlab.dashboard.catalogue.store import CatalogueStore

__all__ = ["Catalogue", "CatalogueStore", "Installation"]
