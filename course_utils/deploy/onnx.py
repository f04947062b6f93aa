"""A trained network as an ONNX file, and that file in int8.

ONNX and ONNX Runtime are an optional extra: `pip install onnx onnxruntime onnxscript`.
"""

import contextlib
import copy
import importlib.util
import logging
import tempfile
import warnings
from pathlib import Path

import torch
from torch import nn

from .. import _files
from .._arrays import real_tensor
from ..anatomy.summary import refuse_misfit


def export_onnx(model, path, *, input_size=(1, 28, 28)):
    """Write `model` as an ONNX file that takes batches of any size.

    The input is called "image", float32 (N, *input_size), the output "logits". The model is
    exported as in eval mode, and stays as it is. What torch notes in the file about where the code
    lies on this machine is taken out.

    Args:
        model: an nn.Module with one tensor in and one out. path: such as "digits.onnx".
        input_size: the shape of one input, without N.
    Returns:
        The `Path` that was written.
    Raises:
        ModuleNotFoundError: onnx or onnxscript is not installed. ValueError: the input does not fit
        the model, a weight is not finite, or torch cannot export it. OSError: the file cannot be
        written.
    """
    _need("onnx", "onnxscript")
    path = _files.checked(path)
    if not isinstance(model, nn.Module):
        raise ValueError(f"model is a {type(model).__name__}: give an nn.Module")
    for name, weight in model.state_dict().items():
        if weight.is_floating_point() and weight.dtype != torch.float32:
            raise ValueError(
                f"{name!r} is {weight.dtype}, but the file computes in float32, as its input is: "
                "give model.float()"
            )
        if not weight.isfinite().all():
            raise ValueError(
                f"{name!r} holds a number that is not finite: train the model again, with a "
                "smaller learning rate"
            )
    refuse_misfit(model, (1, *input_size))
    still = copy.deepcopy(model).cpu().eval()
    # A batch of two: torch would take a batch of one for a fixed size.
    x = torch.zeros(2, *input_size)
    try:
        with warnings.catch_warnings(), _quiet():
            warnings.simplefilter("ignore")  # torch's own calls of what it will drop some day
            # First torch.export: where it fails, torch 2.7's torch.onnx follows the branch that
            # these zeros take. And with a limit: to torch 2.7, a batch of any size may overflow.
            batch = {0: torch.export.Dim("N", max=2**31)}
            traced = torch.export.export(still, (x,), dynamic_shapes=(batch,), strict=False)
            # The older exporter, dynamo=False, is quicker, but torch has announced its end.
            program = torch.onnx.export(
                traced,
                input_names=["image"],
                output_names=["logits"],
                dynamic_shapes=({0: "N"},),  # its name in the file
                dynamo=True,
                verbose=False,
            )
    except Exception as error:  # many kinds, by what the model does
        kind, reason = type(model).__name__, _reason(error)
        raise ValueError(f"torch cannot export this {kind}: {reason}") from error
    return _files.write(path, _without_notes(program.model_proto))


def quantize_onnx(path, to, images):
    """Write the ONNX file `path` anew with weights and activations in int8.

    ONNX Runtime does it (`quantize_static`). The range of the activations is that which `images`
    produce, so they should be like those of later use: some hundred of the training images.

    Args:
        path: a file of `export_onnx`. to: the file to write. images: (N, …), its input, a tensor or
            NumPy array of floating-point numbers.
    Returns:
        The `Path` that was written.
    Raises:
        ModuleNotFoundError: onnx or onnxruntime is not installed. OSError: no such file, or it
        cannot be written. ValueError: there are no images, they do not fit the file, or the file is
        damaged.
    """
    _need("onnx", "onnxruntime")
    from onnxruntime import InferenceSession, quantization

    path, to = Path(path).expanduser(), _files.checked(to)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {str(path)!r}: export_onnx makes one")
    images = _calibrating(images)
    try:
        with _quiet():
            (given,) = InferenceSession(str(path), providers=["CPUExecutionProvider"]).get_inputs()
    except Exception as error:  # many kinds, by what is wrong with the file
        raise ValueError(
            f"{str(path)!r} cannot be read, perhaps it is damaged: write it again with export_onnx "
            f"({_reason(error)})"
        ) from None
    if list(images.shape[1:]) != given.shape[1:]:
        wanted = ", ".join(map(str, given.shape))
        raise ValueError(f"images have the shape {tuple(images.shape)}; the file takes ({wanted})")

    class Images(quantization.CalibrationDataReader):
        batches = iter([{given.name: images.numpy()}])

        def get_next(self):
            return next(self.batches, None)

    with tempfile.TemporaryDirectory() as folder, _quiet():
        small = Path(folder) / "small.onnx"
        try:
            quantization.quantize_static(str(path), str(small), Images())
        except OSError:
            raise
        except Exception as error:  # many kinds, by what the network does
            raise ValueError(f"{str(path)!r} cannot be quantized: {_reason(error)}") from None
        return _files.write(to, small.read_bytes())


def _need(*packages):
    """Raise a sentence where one of the packages of the extra `deploy` is missing."""
    for name in packages:
        if importlib.util.find_spec(name) is None:
            raise ModuleNotFoundError(
                f"this needs the package {name}, which is not installed: "
                "pip install onnx onnxruntime onnxscript",
                name=name,
            )


def _calibrating(images):
    """Images as ONNX Runtime takes them, float32 on the CPU, or a ValueError with the way out."""
    images = real_tensor("images", images, "a tensor or an array, (N, …)")
    if images.ndim < 2 or not len(images):
        raise ValueError("images is empty: give some hundred of the training images, (N, …)")
    if not images.is_floating_point():
        raise ValueError("images hold whole numbers: use images.float() / 255, as in training")
    if not images.isfinite().all():
        raise ValueError("images hold nan or infinity: the range of the numbers is taken from them")
    return images.float()


def _reason(error):
    """The first line of what was raised at the start, without an exporter's advice around it."""
    while error.__cause__ is not None:
        error = error.__cause__
    return next(iter(str(error).strip().splitlines()), "no reason given")


def _without_notes(proto):
    """The bytes of an ONNX model, without torch's notes: stack traces with paths among them."""
    graph = proto.graph
    for part in (
        *(proto, graph, *graph.node, *graph.value_info),
        *(*graph.input, *graph.output, *graph.initializer),
    ):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    return proto.SerializeToString()


@contextlib.contextmanager
def _quiet():
    """No advice in the log: it is for those who write exporters."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
