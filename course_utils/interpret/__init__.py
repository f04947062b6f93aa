"""Look inside a trained network: its feature maps, what excites them, and what an answer rests on.

Every function leaves the model as it was: hooks are removed, each layer keeps its mode, and no
gradient is left in a parameter.
"""

from ..plotting.overlays import draw_overlays, show_overlays
from .explanations import grad_cam, last_activation, occlusion
from .maps import Field, TopPatches, feature_maps, field_of, top_patches

__all__ = [
    "Field",
    "TopPatches",
    "draw_overlays",
    "feature_maps",
    "field_of",
    "grad_cam",
    "last_activation",
    "occlusion",
    "show_overlays",
    "top_patches",
]
