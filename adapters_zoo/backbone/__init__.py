"""An encoder with its adapters: the one package that touches `transformers` and `adapters`.

``encoder`` is what training and evaluation use: adapters by name, and passes under them. The passes are computed by one
of two backbones, which are held to the same contract: ``fast`` where our own engine knows the architecture, ``library``
for every other.
"""

from adapters_zoo.backbone.encoder import Encoder
from adapters_zoo.backbone.opening import VERSIONS, masked_language_model, new_masked_language_model
from adapters_zoo.backbone.protocol import Backbone

__all__ = ["VERSIONS", "Backbone", "Encoder", "masked_language_model", "new_masked_language_model"]
