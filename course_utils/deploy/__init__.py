"""Give a trained network to others: as one web page, or as an ONNX file.

The page works offline and computes in the browser what torch computes. ONNX and ONNX Runtime are
an optional extra (`pip install onnx onnxruntime onnxscript`); the page needs neither.
"""

from .onnx import export_onnx, quantize_onnx
from .page import export_html

__all__ = ["export_html", "export_onnx", "quantize_onnx"]
