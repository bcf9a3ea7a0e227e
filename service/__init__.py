"""The HTTP service: answers and downloads from measured matrices. Imports neither torch nor ray."""

from service.app import create_app
from service.settings import Settings

__all__ = ["Settings", "create_app"]
