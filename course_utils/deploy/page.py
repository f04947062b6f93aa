"""A trained network as one web page, which computes in the browser what torch computes."""

import base64
import hashlib
import html
import json
import re
import string
from pathlib import Path

import torch

from .. import _files

_FOLDER = Path(__file__).parent


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
    from course_utils.widgets.digit_pad import DigitPad, arguments, ink, network, traits

    if model is None:
        raise ValueError("model=None is not possible: give an nn.Sequential")
    classes = arguments.read_classes(classes)
    examples = arguments.read_examples(examples)
    try:
        description, weights = arguments.describe(model, len(classes))
    except ValueError as error:
        # A page has no Python behind it that could answer in the browser's place.
        way_out = "or take export_onnx(model, path): ONNX Runtime computes nearly every layer"
        raise ValueError(str(error).replace(network.WAY_OUT, way_out)) from None
    first = examples[0] if len(examples) else torch.zeros(ink.FIELD, ink.FIELD)
    in_text = lambda data: base64.b64encode(data).decode()  # noqa: E731
    return {
        "_root": DigitPad.css_class,
        "_source": "network",
        "_classes": classes,
        "_network": description,
        "_weights": in_text(weights),
        "_examples": in_text(ink.to_bytes(examples)),
        "image": in_text(ink.to_bytes(first)),
        "pen": DigitPad.pen.default_value,
        "show_cam": True,
        "explain": None,
        **traits.first_layers(description),
    }


def _page(title, state, esm, css):
    """The page as a text; the same text for the same network."""
    widget, count = re.subn(r"^export default ", "const widget = ", esm, flags=re.M)
    script = f"\n{widget}\n{(_FOLDER / 'page.js').read_text('utf-8')}"
    style = f"\n{(_FOLDER / 'page.css').read_text('utf-8')}\n{css}"
    if count != 1 or re.search(r"</script|<!--", script) or "</style" in style:
        raise RuntimeError("the widget's code does not fit into a page")
    # Only this script and this style may run, and nothing may be asked of any server.
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    layers = state["_network"]["layers"]
    rows = "".join(f"<tr><th scope='row'>{_cells(layer)}</tr>\n" for layer in layers)
    return string.Template((_FOLDER / "page.html").read_text("utf-8")).substitute(
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
