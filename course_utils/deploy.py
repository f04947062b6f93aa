"""Give a trained network to others: as one web page, or as an ONNX file.

The page works offline and computes in the browser what torch computes. ONNX and ONNX Runtime are
an optional extra (`pip install onnx onnxruntime onnxscript`); the page needs neither.
"""

import base64
import contextlib
import copy
import hashlib
import html
import importlib.util
import json
import logging
import re
import string
import tempfile
import warnings
from pathlib import Path

import torch
from torch import nn

from course_utils import _files, anatomy

__all__ = ["export_html", "export_onnx", "quantize_onnx"]

_PAGE = Path(__file__).with_name("_page")


# ---- a web page ---------------------------------------------------------------------------------


def export_html(model, path, *, title="Draw a digit", classes="0123456789", examples=None):
    """Write `model` as one web page on which one draws a digit and sees what it answers.

    The file holds all it needs and asks nothing of a network: it can be opened with a double click,
    sent by mail or put on any server. The weights are in it as float32, unchanged, so that its
    answers are torch's. It is the widget `DigitPad` without a notebook. In the browser's console,
    `answer(pixels)` returns the logits for 784 numbers.

    Args:
        model: an nn.Sequential from images (N, 1, 28, 28) to logits, as for `widgets.DigitPad`. It
            counts as in eval mode and stays as it is.
        path: where to write, such as "digits.html"; its folder exists. An older file is replaced.
        title: the page's heading. classes: what the outputs stand for, 2 to 20 words.
        examples: images (N, 1, 28, 28) in [0, 1] to choose from, at most 20; by default ten digits.
    Returns:
        The `Path` that was written.
    Raises:
        ValueError: a layer that the browser cannot compute, classes or examples that do not fit.
        OSError: the folder does not exist, or cannot be written to.
    """
    from course_utils.widgets import DigitPad

    path = _files.checked(path)
    title = str(title).strip() or "Draw a digit"
    state = _state(model, classes, examples)
    return _files.write(path, _page(title, state, DigitPad._esm, DigitPad._css).encode())


def _state(model, classes, examples):
    """What DigitPad's view reads of its state, ready for JSON; bytes are written as base64.

    Not from a DigitPad itself: it would announce itself to the notebook that this runs in.
    """
    from course_utils.widgets import (
        DigitPad,
        _base,
        _digit_arguments,
        _digit_traits,
        _ink,
        _network,
    )

    if model is None:
        raise ValueError("model=None is not possible: give an nn.Sequential")
    classes = _digit_arguments.read_classes(classes)
    examples = _digit_arguments.read_examples(examples)
    try:
        network, weights = _digit_arguments.describe(model, len(classes))
    except ValueError as error:
        # A page has no Python behind it that could answer in the browser's place.
        way_out = "or take export_onnx(model, path): ONNX Runtime computes nearly every layer"
        raise ValueError(str(error).replace(_network.WAY_OUT, way_out)) from None
    first = examples[0] if len(examples) else torch.zeros(_ink.FIELD, _ink.FIELD)
    in_text = lambda data: base64.b64encode(data).decode()  # noqa: E731
    return {
        "_root": _base._class_of(DigitPad),
        "_source": "network",
        "_classes": classes,
        "_network": network,
        "_weights": in_text(weights),
        "_examples": in_text(_ink.to_bytes(examples)),
        "image": in_text(_ink.to_bytes(first)),
        "pen": DigitPad.pen.default_value,
        "show_cam": True,
        "explain": None,
        **_digit_traits.first_layers(network),
    }


def _page(title, state, esm, css):
    """The page as a text; the same text for the same network."""
    widget, count = re.subn(r"^export default ", "const widget = ", esm, flags=re.M)
    script = f"\n{widget}\n{(_PAGE / 'page.js').read_text('utf-8')}"
    style = f"\n{(_PAGE / 'page.css').read_text('utf-8')}\n{css}"
    if count != 1 or re.search(r"</script|<!--", script) or "</style" in style:
        raise RuntimeError("the widget's code does not fit into a page")
    # Only this script and this style may run, and nothing may be asked of any server.
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    layers = state["_network"]["layers"]
    rows = "".join(f"<tr><th scope='row'>{_cells(layer)}</tr>\n" for layer in layers)
    return string.Template((_PAGE / "page.html").read_text("utf-8")).substitute(
        policy=policy,
        title=html.escape(title),
        style=style,
        # Inside a script element, text ends only at "<".
        state=json.dumps(state).replace("<", "\\u003c"),
        script=script,
        rows=rows,
        numbers=f"{sum(map(_numbers, layers)):,}",
        classes=html.escape(", ".join(state["_classes"])),
    )


def _hash(text):
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _numbers(layer):
    """How many numbers of its own a layer has, bias included."""
    if "weight" not in layer:
        return 0
    return torch.Size(layer["size"]).numel() + layer["size"][0]


def _cells(layer):
    kind = {"scale": "batch norm", "scale_flat": "batch norm"}.get(layer["kind"], layer["kind"])
    cells = [kind.replace("_", " "), " × ".join(map(str, layer["shape"])), f"{_numbers(layer):,}"]
    return html.escape(layer["name"]) + "</th>" + "".join(f"<td>{cell}</td>" for cell in cells)


# ---- ONNX ---------------------------------------------------------------------------------------


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
    anatomy.summarize(model, (1, *input_size))  # raises a sentence where the two do not fit
    for name, weight in model.state_dict().items():
        if not weight.isfinite().all():
            raise ValueError(
                f"{name!r} holds a number that is not finite: train the model again, with a "
                "smaller learning rate"
            )
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
        kind, reason = type(model).__name__, _first_line(error)
        raise ValueError(f"torch cannot export this {kind}: {reason}") from error
    return _files.write(path, _without_notes(program.model_proto))


def quantize_onnx(path, to, images):
    """Write the ONNX file `path` anew with weights and activations in int8.

    ONNX Runtime does it (`quantize_static`). The range of the activations is that which `images`
    produce, so they should be like those of later use: some hundred of the training images.

    Args:
        path: a file of `export_onnx`. to: the file to write. images: float32 (N, …), its input.
    Returns:
        The `Path` that was written.
    Raises:
        ModuleNotFoundError: onnx or onnxruntime is not installed. OSError: no such file, or it
        cannot be written. ValueError: there are no images.
    """
    _need("onnx", "onnxruntime")
    from onnxruntime import quantization

    path, to = Path(path), _files.checked(to)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {str(path)!r}: export_onnx makes one")
    if not len(images):
        raise ValueError("images is empty: give some hundred of the training images")
    if not images.isfinite().all():
        raise ValueError("images hold nan or infinity: the range of the numbers is taken from them")

    class Images(quantization.CalibrationDataReader):
        batches = iter([{"image": images.numpy()}])

        def get_next(self):
            return next(self.batches, None)

    with tempfile.TemporaryDirectory() as folder, _quiet():
        small = Path(folder) / "small.onnx"
        try:
            quantization.quantize_static(str(path), str(small), Images())
        except OSError:
            raise
        except Exception as error:  # many kinds, by what is wrong with the file
            raise ValueError(
                f"{str(path)!r} cannot be quantized, perhaps it is damaged: write it again with "
                f"export_onnx ({_first_line(error)})"
            ) from None
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


def _first_line(error):
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
