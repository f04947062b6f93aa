"""ShapeBuilder says what torch does with a stack, which layer does not fit, and what mends it."""

import dataclasses
import functools
import inspect
import re
from collections import OrderedDict

import page as pages
import pytest
import torch
from node import needs_node, run_node
from stacks import random_stack
from torch import nn
from traitlets import TraitError

from course_utils import models
from course_utils.anatomy import summarize
from course_utils.widgets import ShapeBuilder
from course_utils.widgets.shape_builder.catalogue import LAYERS, check_layers
from course_utils.widgets.shape_builder.modules import make, write_code
from course_utils.widgets.shape_builder.shapes import follow, mend

pytestmark = pytest.mark.filterwarnings("ignore:dropout2d", "ignore:Using padding='same'")


def conv(**options):
    return {"type": "Conv2d", "options": {"in_channels": 1, "out_channels": 4, **options}}


def layer(kind, **options):
    return {"type": kind, "options": options}


def up(**options):
    return layer("ConvTranspose2d", **{"in_channels": 1, "out_channels": 1, **options})


FLATTEN, KERNEL_3 = layer("Flatten"), conv(kernel_size=3)
# Each of these does not fit, but for the last one, and is rare in random stacks.
ODD = [
    ([conv(kernel_size=3, padding="same", stride=2)], (1, 8, 8)),
    ([conv(kernel_size=[3, 9], dilation=[1, 2], padding=[0, 1])], (1, 8, 9)),
    ([FLATTEN, layer("ReLU"), KERNEL_3], (1, 8, 8)),
    ([FLATTEN, layer("Linear", in_features=64, out_features=9), KERNEL_3], (1, 8, 8)),
    ([layer("BatchNorm1d", num_features=2)], (2, 8, 8)),
    ([FLATTEN, layer("BatchNorm2d", num_features=2)], (2, 8, 8)),
    ([layer("Softmax", dim=2)], (5,)),
    ([up(kernel_size=1, padding=[0, 4])], (1, 8, 8)),
    ([up(out_channels=8192, kernel_size=64, stride=64)], (1, 9, 9)),
    ([layer("BatchNorm2d", num_features=2)], (1, 1, 1)),
    ([layer("Linear", in_features=9, out_features=2)], (3, 5, 9)),
]
IMPOSSIBLE_SIZES = [
    *[(), (0,), (1, 28), (1, 0, 28), (1, 28, 1025), (2**20 + 1,)],
    *[(1, 1, 1, 1, 1), (1, 2.5, 3), (1, True, 3)],
]


@functools.cache
def stacks():
    """Random stacks with every option filled in, and the odd ones: `(layers, input_size)`."""
    random = (random_stack(seed) for seed in range(500))
    return [(check_layers(layers), tuple(size)) for layers, size in [*random, *ODD]]


@functools.cache
def followed():
    """Each of the stacks with what Python says of it: `(layers, input_size, summary, mismatch)`."""
    return [(*stack, *follow(*stack)) for stack in stacks()]


def by_torch(layers, size):
    """`(shapes, index)`: what torch really gives, and the first layer where it gives nothing."""
    x, shapes = torch.zeros(1, *size), []
    for index, one in enumerate(layers):
        if one["options"].get("out_channels") == 8192:
            return shapes, index  # this would take 10 GiB
        try:
            x = make(one).eval()(x)
        except (RuntimeError, ValueError, IndexError):
            return shapes, index
        if not x.numel():
            return shapes, index
        shapes.append(tuple(x.shape))
    return shapes, None


def test_a_stack_fits_exactly_where_torch_runs_it_and_has_the_shapes_of_torch():
    for layers, size, summary, mismatch in followed():
        shapes, index = by_torch(layers, size)
        assert [row.output_shape for row in summary.rows] == shapes, (layers, size)
        assert (mismatch and mismatch.index) == index, (layers, size)


def test_the_options_of_the_table_are_torchs_with_its_defaults():
    for kind, options in LAYERS.items():
        torchs = inspect.signature(getattr(nn, kind)).parameters
        for option in options:
            given = torchs[option.name].default
            assert option.default == (None if given is inspect.Parameter.empty else given), option
            if option.kind in ("whole", "pair", "padding", "number") and option.default is not None:
                assert option.low <= option.default <= option.high


def make_cases():
    return {
        "stacks": [answers(*stack) for stack in followed()],
        "refused": [{"layers": layers, "sentence": refusal(layers)} for layers in impossible()],
        "sizes": [{"size": size, "sentence": size_refusal(size)} for size in IMPOSSIBLE_SIZES],
        "typed": TYPED,
    }


def answers(layers, size, summary, mismatch):
    rows = [[*dataclasses.astuple(row)] for row in summary.rows]
    for row in rows:
        row[4] = str(row[4])
    return {
        "layers": layers,
        "size": size,
        "rows": rows,
        "parameters": summary.parameters,
        "macs": str(summary.macs),
        "mismatch": mismatch and dataclasses.asdict(mismatch),
        "mended": mismatch and mend(layers, mismatch),
        "code": write_code(layers),
    }


def impossible():
    """Lists of layers that no stack could be, as the browser might make them."""
    yield [{"type": "ReLU", "options": {}}] * 65
    yield [{"type": "Conv3d", "options": {}}]
    yield [layer("ReLU"), layer("Conv2d", in_channels=1, out_channels=2)]
    yield [layer("Linear", in_features=1, out_features=2, groups=2)]
    yield [layer("Flatten", start_dim=1)]
    yield [{"name": "norm", **layer("BatchNorm2d", num_features=0)}]
    for options in [
        *({"kernel_size": value} for value in (0, 65, 2.5, "3", [3, 0], [1, 2, 3], [], None, True)),
        *({"kernel_size": 3, "padding": value} for value in (-1, "full", [1, "same"])),
        *({"kernel_size": 3, "bias": value} for value in (1, "yes")),
    ]:
        yield [conv(**options)]
    for p in (-0.5, 1.25, "half", False, [0.5], -1e-7):
        yield [layer("Dropout", p=p)]


def refusal(layers):
    with pytest.raises(TraitError) as refused:
        ShapeBuilder(layers)
    return str(refused.value)


def size_refusal(size):
    with pytest.raises(TraitError) as refused:
        ShapeBuilder(input_size=size)
    return str(refused.value)


def typing(kind, name, text, value=None, sentence=None):
    case = {"type": kind, "name": name, "text": text}
    return case | ({"value": value} if value is not None else {"sentence": sentence})


_WHOLE = "is not possible: give a whole number from 1 to"
TYPED = [
    typing("Conv2d", "kernel_size", " 3 ", 3),
    typing("Conv2d", "kernel_size", "3, 5", [3, 5]),
    typing("Conv2d", "kernel_size", "(3,5)", [3, 5]),
    typing("Conv2d", "kernel_size", "3 5", [3, 5]),
    typing("Conv2d", "kernel_size", "3 × 5", [3, 5]),
    typing("Conv2d", "kernel_size", "4, 4", 4),
    typing("Conv2d", "padding", "Same", "same"),
    typing("Conv2d", "padding", "0, 2", [0, 2]),
    typing("Dropout", "p", ".25", 0.25),
    typing("LeakyReLU", "negative_slope", "−0.5", -0.5),
    typing("Softmax", "dim", "-1", -1),
    typing(
        *("Conv2d", "kernel_size", "3, five"),
        sentence=f"layer 0 (Conv2d): kernel_size=3, five {_WHOLE} 64, or two for height and width",
    ),
    typing(
        *("Conv2d", "out_channels", "8, 8"),
        sentence=f"layer 0 (Conv2d): out_channels=8, 8 {_WHOLE} 65536",
    ),
    typing(
        *("Linear", "out_features", ""),
        sentence=f"layer 0 (Linear): out_features= {_WHOLE} 65536",
    ),
    typing(
        *("Linear", "in_features", "1e3"),
        sentence=f"layer 0 (Linear): in_features=1e3 {_WHOLE} 1073741824",
    ),
    typing(
        *("Dropout", "p", "1.5"),
        sentence="layer 0 (Dropout): p=1.5 is not possible: give a number from 0 to 1",
    ),
]


@needs_node
def test_the_browsers_arithmetic_is_torchs(tmp_path):
    run_node("shape_builder/shapes.test.mjs", make_cases(), tmp_path)


# In Python.


@pytest.mark.parametrize("make_model", [models.mnist_cnn, models.lenet, models.mlp])
def test_a_model_is_read_counted_as_summarize_counts_and_given_back(make_model):
    model = make_model()
    widget = ShapeBuilder(model)
    assert widget.rows == list(summarize(model, (1, 1, 28, 28)).rows)
    assert widget.summary == summarize(model, (1, 1, 28, 28))
    assert widget.output == (1, 10)
    assert widget.mismatch is None
    assert repr(widget.to_module()) == repr(model)
    assert widget.to_module().state_dict().keys() == model.state_dict().keys()


def test_random_stacks_come_back_as_modules_as_code_and_as_layers():
    for layers, size in stacks()[:80]:
        widget = ShapeBuilder(layers, size)
        assert widget.layers == layers
        assert widget.input_size == size
        if widget.mismatch:
            assert widget.output is None
            with pytest.raises(ValueError, match="^" + re.escape(widget.mismatch.sentence) + "$"):
                widget.to_module()
            continue
        model = widget.to_module()
        assert model.training
        assert tuple(model.eval()(torch.zeros(2, *size)).shape) == (2, *widget.output[1:])
        assert widget.rows == (list(summarize(model, (1, *size)).rows) if layers else [])
        assert ShapeBuilder(model).layers == layers
        space = {}
        exec(widget.code, space)
        assert ShapeBuilder(space["model"]).layers == layers


def test_the_default_works_on_mnist_and_an_empty_stack_gives_its_input():
    widget = ShapeBuilder()
    assert widget.output == tuple(widget.to_module()(torch.zeros(1, 1, 28, 28)).shape) == (1, 10)
    assert [row.receptive_field for row in widget.rows] == [5, 5, 6, 14, 14, 16, 16, 28]
    empty = ShapeBuilder([], (3, 8, 9))
    assert (empty.rows, empty.output, empty.mismatch) == ([], (1, 3, 8, 9), None)
    assert "no layer" in empty.draw().alt_text


def test_nested_sequentials_are_written_in_line_and_unusual_options_are_kept():
    block = nn.Sequential(OrderedDict(conv=nn.Conv2d(3, 4, (3, 5), padding="same", bias=False)))
    model = nn.Sequential(
        OrderedDict(
            block=block,
            norm=nn.BatchNorm2d(4, eps=0.01, momentum=0.3, affine=False),
            relu=nn.ReLU(inplace=True),
            pool=nn.MaxPool2d((2, 3), padding=(1, 0), dilation=(1, 2), ceil_mode=True),
            valid=nn.Conv2d(4, 4, 1, padding="valid", groups=2, dilation=(1, 2)),
            up=nn.ConvTranspose2d(4, 2, 3, stride=(2, 3), output_padding=(1, 2)),
        )
    )
    widget = ShapeBuilder(model, (3, 12, 20))
    assert [row.name for row in widget.rows][:2] == ["block_conv", "norm"]
    assert widget.layers[0]["options"]["kernel_size"] == [3, 5]
    assert widget.output == tuple(model.eval()(torch.zeros(1, 3, 12, 20)).shape)
    expected = [*block, model.norm, model.relu, model.pool]
    expected += [nn.Conv2d(4, 4, 1, groups=2, dilation=(1, 2)), model.up]
    assert list(map(repr, widget.to_module())) == list(map(repr, expected))
    plain = nn.Sequential(nn.Sequential(nn.Flatten()), nn.Linear(784, 2))
    assert [row.name for row in ShapeBuilder(plain).rows] == ["0", "1"]


class Student(nn.Module):
    """Not an nn.Sequential."""


def shared():
    conv = nn.Conv2d(1, 1, 3)
    return nn.Sequential(conv, nn.ReLU(), conv)


@pytest.mark.parametrize(
    ("layers", "sentence"),
    [
        (Student(), r"a Student is not an nn.Sequential"),
        (nn.Linear(2, 2), r"a Linear is not an nn.Sequential"),
        (nn.Sequential(nn.ReLU(), nn.LSTM(2, 2)), r"layer 1 \(named '1'\) is a LSTM, which is not"),
        (
            nn.Sequential(OrderedDict(a=nn.Sequential(Student()))),
            r"named 'a.0'\) is a Student",
        ),
        (
            nn.Sequential(nn.Conv3d(1, 1, 1)),
            r"Conv3d, .*: use Conv2d, .* Identity",
        ),
        (shared(), r"layer 2 \(named '2'\) is the same object as layer 0"),
        (nn.Sequential(nn.Conv2d(1, 1, 3, padding_mode="reflect")), r"padding_mode='reflect'"),
        (nn.Sequential(nn.Flatten(2)), r"start_dim=2, which is not supported: use start_dim=1"),
        (nn.Sequential(nn.AvgPool2d(2, divisor_override=3)), r"divisor_override=3"),
        (
            nn.Sequential(nn.Softmax()),
            r"dim=None is not possible: give a whole",
        ),
        (nn.Sequential(nn.AdaptiveAvgPool2d((None, 2))), r"output_size=None, 2 is not possible"),
        (nn.Sequential(nn.BatchNorm2d(2, momentum=None)), r"momentum=None is not possible"),
        ("relu", r"layers=relu is not possible: give an nn.Sequential, or a list of dicts"),
        ([nn.ReLU()], r"layer 0 is ReLU\(\): give a dict such as"),
        (
            [{"type": "ReLU", "opts": {}}],
            r"layer 0 has an entry 'opts': give type",
        ),
        ([{"type": "ReLU", "options": 3}], r"layer 0 \(ReLU\) has options=3: give a dict"),
        ([{"type": "ReLU", "name": "a.b"}], r"layer 0 has the name a.b: give a text"),
        ([{"type": "ReLU", "name": "3"}], r"layer 0 has the name 3: give a text"),
        ([{"type": "ReLU", "name": "forward"}], r"the name 'forward', which torch uses"),
        ([{"type": "ReLU", "name": "a"}] * 2, r"the name 'a' is there twice"),
        ([layer("Dropout", p=float("nan"))], r"p=nan is not possible: give a number from 0 to 1"),
        ([layer("Dropout", p=torch.ones(2))], r"p=tensor\(.* is not possible"),
        ([conv(kernel_size=torch.ones(2))], r"kernel_size=tensor\(.* is not possible"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_layers_that_no_stack_could_have_are_refused_in_a_sentence_and_nothing_changes(
    layers, sentence
):
    widget = ShapeBuilder()
    with pytest.raises(TraitError, match=sentence):
        widget.layers = layers
    assert widget.output == (1, 10)
    with pytest.raises(TraitError, match=sentence):
        ShapeBuilder(layers)


@pytest.mark.parametrize("size", [*IMPOSSIBLE_SIZES, "1, 28", None, 2.0, {1: 2}, torch.zeros(3)])
def test_an_impossible_input_size_is_refused_in_a_sentence(size):
    sentence = r"input_size=\(.*\) is not possible: give \(C, H, W\), each from 1 to 1024, or \(fea"
    with pytest.raises(TraitError, match=sentence):
        ShapeBuilder(input_size=size)


def test_an_input_size_may_be_a_number_a_shape_or_a_list():
    assert ShapeBuilder([], 7).output == (1, 7)
    assert ShapeBuilder([], torch.zeros(3, 4, 5).shape).input_size == (3, 4, 5)
    assert ShapeBuilder([], [3, 4, 5]).input_size == (3, 4, 5)


def test_a_mismatch_is_a_state_that_says_where_why_and_what_mends_it():
    widget = ShapeBuilder(input_size=(1, 32, 32))
    mismatch = widget.mismatch
    sentence = (
        "layer 7 (Linear) expects in_features=512, but layer 6 (Flatten) gives "
        "32 × 5 × 5 = 800 features: set in_features=800"
    )
    assert str(mismatch) == mismatch.sentence == sentence
    assert (mismatch.index, mismatch.name, mismatch.type) == (7, "7", "Linear")
    assert (mismatch.action, mismatch.option, mismatch.value) == ("set", "in_features", 800)
    assert [row.name for row in widget.rows] == [*"0123456"]
    assert widget.output is None
    assert widget.draw().alt_text.endswith(f" {sentence}.")
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        widget.to_module(check=False)(torch.zeros(1, 1, 32, 32))
    widget.mend()
    assert widget.mismatch is None
    assert widget.layers[7]["options"]["in_features"] == 800
    assert widget.output == (1, 10)
    widget.mend()  # nothing to do
    assert widget.output == (1, 10)


def test_layers_is_a_copy_and_what_is_assigned_counts():
    widget = ShapeBuilder()
    layers = widget.layers
    layers[0]["options"]["out_channels"] = 3
    assert widget.layers[0]["options"]["out_channels"] == 8
    heard = []
    widget.observe(heard.append, "layers")
    widget.layers = layers
    assert len(heard) == 1
    assert widget.mismatch.option == "in_channels"
    assert ShapeBuilder().layers[0]["options"]["out_channels"] == 8


def test_looking_leaves_the_random_numbers_alone():
    before = torch.get_rng_state()
    widget = ShapeBuilder()
    assert widget.rows
    widget.draw()
    assert torch.equal(torch.get_rng_state(), before)


def test_a_stack_too_large_to_run_is_counted_without_running_it(monkeypatch):
    monkeypatch.setattr("course_utils.widgets.shape_builder.shapes._CHEAP", 0)
    for layers, size, summary, mismatch in followed()[:60]:
        assert follow(layers, size) == (summary, mismatch)


def test_a_deep_stack_with_large_numbers_is_counted_exactly_and_drawn():
    stack = [conv(in_channels=1, out_channels=512, kernel_size=11, padding=5)]
    stack += [conv(in_channels=512, out_channels=512, kernel_size=11, padding=5)] * 30
    widget = ShapeBuilder(stack, (1, 512, 512))
    assert widget.rows[-1].macs == 512**4 * 121
    figure = widget.draw()
    assert figure.get_size_inches()[0] <= 7
    assert "the first 31 layers give 512 × 512 × 512" in figure.alt_text


@pytest.mark.parametrize("index", range(len(ODD)))
def test_the_picture_has_the_sentence_of_every_kind_of_mismatch(index):
    layers, size = ODD[index]
    widget = ShapeBuilder(layers, size)
    data, metadata = widget._repr_mimebundle_()
    alt = metadata["image/png"]["alt"]
    assert alt == data["text/plain"]
    assert (str(widget.mismatch) in alt) == (widget.mismatch is not None)
    assert metadata["image/png"]["width"] <= 700


# In the browser. A page shows the default stack unless a test makes another one.

MISMATCHED = [
    {"name": "first", **conv(out_channels=8, kernel_size=[3, 5], padding=[1, 2])},
    layer("MaxPool2d", kernel_size=2),
    layer("Conv2d", in_channels=4, out_channels=6, kernel_size=3, groups=4),
    layer("Linear", in_features=10, out_features=10),
]
HEADS = ".sb-list .sb-head"


@pytest.fixture(scope="module")
def shared_page(browser):
    page = pages.mount(browser, ShapeBuilder())
    yield page
    page.close()


@pytest.fixture
def widget():
    return ShapeBuilder()


@pytest.fixture
def page(shared_page, widget):
    """The page with the default stack, as if just opened, but for what can be undone."""
    show(shared_page, widget)
    yield shared_page
    assert shared_page.errors == []


def show(page, widget):
    page.evaluate("model.saved = []")
    pages.push(page, widget, "layers", "input_size")
    choose(page, len(widget.layers) - 1)


def choose(page, index):
    if page.locator(HEADS).count():
        page.locator(HEADS).nth(index).click()
    pages.settle(page)


def field(page, index, label):
    return page.locator(".sb-list .sb-row").nth(index).get_by_label(label, exact=True)


def agree(page, widget, view=0):
    """What Python has heard from the page is what torch says, and what the page shows."""
    pages.settle(page)
    pages.pull(page, widget)
    root = page.locator(".cu").nth(view)
    shapes, index = by_torch(widget.layers, widget.input_size)
    mismatch = widget.mismatch
    assert (mismatch and mismatch.index) == index
    model = nn.Sequential(*map(make, widget.layers[:index]))
    rows = summarize(model, (1, *widget.input_size)).rows if shapes else ()
    shown = root.locator(".sb-list .sb-line").all_inner_texts()
    shown = [[text for text in line.split("\n") if text.strip()] for line in shown]
    image = len(widget.input_size) == 3
    for line, layer_, row, shape in zip(shown, widget.layers, rows, shapes, strict=False):
        assert line[-5].endswith(layer_["type"])
        assert line[-4:] == [
            " × ".join(map(str, shape[1:])) if len(shape) == 4 else said(shape[1], "feature"),
            f"{row.parameters:,}",
            f"{row.macs:,}",
            write_field(row.receptive_field, image),
        ]
    assert len(shown) == len(widget.layers)
    assert all(line[-4:] == ["—"] * 4 for line in shown[len(rows) :])
    parameters = sum(p.numel() for p in model.parameters())
    total = root.locator(".sb-total").inner_text()
    assert f"{parameters:,}" in total
    assert f"{sum(row.macs for row in rows):,}" in total
    problems = root.locator(".sb-problem:visible")
    if index is None:
        assert problems.count() == 0
        words = root.locator(".cu-words").inner_text()
        assert f"{parameters:,} parameters" in words
        assert tuple(widget.to_module().eval()(torch.zeros(1, *widget.input_size)).shape) == (
            widget.output
        )
    else:
        assert problems.count() == 1
        assert problems.inner_text().startswith(f"✕ {mismatch.sentence}.")
        assert root.locator(".sb-wrong .sb-head").inner_text().endswith(mismatch.type)
        assert mismatch.mend in root.locator(".cu-words").inner_text()
    assert root.locator(".sb-code").text_content() == widget.code


def said(count, word):
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def write_field(field, image):
    if field is None:
        return "?"
    sides = field if isinstance(field, tuple) else (field,) * (2 if image else 1)
    return " × ".join(map(str, sides))


def test_every_option_is_edited_and_the_numbers_are_torchs(page, widget):
    choose(page, 3)
    changes = [("kernel_size", "3, 4"), ("stride", "2"), ("padding", "same"), ("stride", "1")]
    changes += [("dilation", "(1, 2)"), ("groups", "4"), ("out_channels", "12"), ("padding", "1")]
    for label, text in changes:
        field(page, 3, label).fill(text)
        agree(page, widget)
    field(page, 3, "bias").uncheck()
    agree(page, widget)
    options = {"in_channels": 8, "out_channels": 12, "kernel_size": [3, 4], "stride": 1}
    options |= {"padding": 1, "dilation": [1, 2], "groups": 4, "bias": False}
    assert widget.layers[3]["options"] == options
    field(page, 2, "stride").click()
    pages.settle(page)
    assert page.locator(".sb-chosen .sb-head").inner_text() == "2 MaxPool2d"
    for label, text in [("kernel_size", "3"), ("stride", "4"), ("padding", "1"), ("dilation", "2")]:
        field(page, 2, label).fill(text)
        agree(page, widget)
    field(page, 2, "ceil_mode").check()
    agree(page, widget)
    assert widget.layers[2]["options"]["ceil_mode"] is True


def test_every_size_of_the_input_and_both_kinds(page, widget):
    for label, text in [("channels C", "3"), ("height H", "40"), ("width W", "9")]:
        page.get_by_label(label).fill(text)
        agree(page, widget)
    assert widget.input_size == (3, 40, 9)
    page.get_by_label("the input is").select_option(label="features")
    agree(page, widget)
    assert widget.input_size == (1080,)
    page.get_by_label("features", exact=True).fill("12")
    agree(page, widget)
    page.get_by_label("the input is").select_option(label="image")
    agree(page, widget)
    assert widget.input_size == (1, 28, 28)


@pytest.mark.parametrize("kind", LAYERS)
def test_each_button_adds_its_layer_below_the_chosen_one(page, widget, kind):
    after = 6 if kind in ("Linear", "BatchNorm1d") else 2
    choose(page, after)
    page.get_by_role("button", name=f"+ {kind}", exact=True).click()
    agree(page, widget)
    assert [one["type"] for one in widget.layers][after + 1] == kind
    assert len(widget.layers) == 9
    mismatch = widget.mismatch
    assert mismatch is None or mismatch.index > after + 1, mismatch
    assert kind in page.locator(".sb-adding").inner_text()
    page.get_by_role("button", name="take the last change back").click()
    agree(page, widget)
    assert widget.layers == ShapeBuilder().layers


def test_layers_are_moved_and_deleted_by_mouse(page, widget):
    choose(page, 6)
    page.locator(".sb-tools:visible").get_by_text("move up").click()
    agree(page, widget)
    assert widget.layers[5]["type"] == "Flatten"
    assert widget.mismatch.action == "move"
    page.locator(".sb-tools:visible").get_by_text("move down").click()
    agree(page, widget)
    assert widget.layers == ShapeBuilder().layers
    page.locator(".sb-tools:visible").get_by_text("delete").click()
    agree(page, widget)
    assert [one["type"] for one in widget.layers][-2:] == ["MaxPool2d", "Linear"]
    assert widget.mismatch.action == "insert"
    page.locator(".sb-mend:visible").click()
    agree(page, widget)
    assert widget.layers == ShapeBuilder().layers


def test_a_stack_is_built_by_keyboard_alone(page, widget):
    heads = page.locator(HEADS)
    heads.nth(7).focus()
    for _ in range(8):
        page.keyboard.press("Delete")
        pages.settle(page)
    agree(page, widget)
    assert widget.layers == []
    focused = "document.activeElement.matches('button') ? document.activeElement.textContent : ''"
    for text in ("+ Conv2d", "+ Flatten", "+ Linear"):
        while page.evaluate(focused) != text:
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        pages.settle(page)
    agree(page, widget)
    assert [one["type"] for one in widget.layers] == ["Conv2d", "Flatten", "Linear"]
    heads.nth(2).focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    pages.settle(page)
    assert page.evaluate(focused) == "0 Conv2d"
    page.keyboard.press("Tab")  # in_channels
    page.keyboard.press("Tab")
    page.keyboard.type("5")
    agree(page, widget)
    assert widget.layers[0]["options"]["out_channels"] == 5
    page.keyboard.press("ArrowUp")
    agree(page, widget)
    assert widget.layers[0]["options"]["out_channels"] == 6
    assert widget.mismatch.value == 6 * 28 * 28
    while "Mend it" not in page.evaluate(focused):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    agree(page, widget)
    assert widget.mismatch is None
    assert page.evaluate(focused) == "2 Linear"
    page.keyboard.press("Alt+ArrowUp")
    agree(page, widget)
    assert [one["type"] for one in widget.layers] == ["Conv2d", "Linear", "Flatten"]
    assert page.evaluate(focused) == "1 Linear"


def test_mending_step_by_step_ends_in_a_stack_that_torch_runs(page):
    widget = ShapeBuilder(MISMATCHED)
    show(page, widget)
    agree(page, widget)
    steps = 0
    while widget.mismatch:
        page.locator(".sb-mend:visible").press("Enter")
        agree(page, widget)
        steps += 1
    assert steps == 4
    assert widget.output == (1, 10)
    for _ in range(steps):
        page.get_by_role("button", name="take the last change back").click()
    agree(page, widget)
    assert widget.layers == ShapeBuilder(MISMATCHED).layers


@pytest.mark.parametrize(
    ("index", "label", "text", "value"),
    [
        (0, "kernel_size", "0", 0),
        (0, "kernel_size", "3, five", "3, five"),
        (0, "padding", "full", "full"),
        (2, "stride", "1, 2, 3", "1, 2, 3"),
        (7, "out_features", "many", "many"),
        (7, "in_features", "1.5", "1.5"),
    ],
)
def test_an_impossible_value_says_pythons_sentence_and_nothing_is_lost(
    page, widget, index, label, text, value
):
    before = page.locator(".sb-table").inner_text()
    field(page, index, label).fill(text)
    field(page, index, label).press("Enter")
    pages.settle(page)
    layers = widget.layers
    layers[index]["options"][label] = value
    assert page.locator(".cu-refusal").inner_text() == f"Not possible: {refusal(layers)}."
    assert field(page, index, label).input_value() == text
    assert field(page, index, label).get_attribute("aria-invalid") == "true"
    choose(page, 7)
    assert page.locator(".sb-table").inner_text() == before
    assert page.evaluate("model.get('layers')") == widget.layers
    field(page, index, label).press("Escape")
    assert page.locator(".cu-refusal").is_hidden()
    assert field(page, index, label).get_attribute("aria-invalid") is None
    agree(page, widget)


def test_an_impossible_input_says_pythons_sentence(page, widget):
    page.get_by_label("height H").fill("2000")
    page.get_by_label("height H").press("Enter")
    with pytest.raises(TraitError) as refused:
        ShapeBuilder(input_size=(1, 2000, 28))
    assert page.locator(".cu-refusal").inner_text() == f"Not possible: {refused.value}."
    page.get_by_label("height H").fill("20")
    agree(page, widget)
    assert widget.input_size == (1, 20, 28)
    assert page.locator(".cu-refusal").is_hidden()


def test_a_stack_that_is_full_says_so(page):
    widget = ShapeBuilder([layer("ReLU")] * 64)
    show(page, widget)
    page.get_by_role("button", name="+ Tanh").click()
    pages.settle(page)
    sentence = "Not possible: 65 layers are too many: give at most 64."
    assert page.locator(".cu-refusal").inner_text() == sentence
    agree(page, widget)


def test_one_undo_takes_back_all_that_was_typed_into_a_field(page, widget):
    choose(page, 0)
    field(page, 0, "out_channels").fill("")
    for digit in "128":
        page.keyboard.type(digit)
        pages.settle(page)
    agree(page, widget)
    assert widget.layers[0]["options"]["out_channels"] == 128
    page.get_by_role("button", name="take the last change back").click()
    agree(page, widget)
    assert widget.layers[0]["options"]["out_channels"] == 8


def test_boxes_are_drawn_to_scale(page):
    stack = [conv(out_channels=8, kernel_size=[7, 3]), layer("MaxPool2d", kernel_size=[2, 1])]
    stack += [layer("Flatten"), layer("Linear", in_features=960, out_features=240)]
    show(page, ShapeBuilder(stack, (1, 30, 12)))
    corners = page.locator(".sb-box .sb-front").evaluate_all(
        """all => all.map((e) => e.getAttribute("points").split(" ")
          .map((point) => point.split(",").map(Number)))"""
    )
    sizes = [(p[1][0] - p[0][0], p[3][1] - p[0][1]) for p in corners]
    cell, channel = sizes[1][1] / 24, sizes[1][0] / 8
    for (wide, high), (channels, rows) in zip(sizes, [(1, 30), (8, 24), (8, 12)], strict=False):
        assert wide == pytest.approx(channels * channel, abs=0.05)
        assert high == pytest.approx(rows * cell, abs=0.05)
    assert sizes[3][0] == pytest.approx(4 * sizes[4][0], abs=0.05)  # 960 features and 240


def test_python_changes_what_the_browser_shows(page, widget):
    widget.layers, widget.input_size = models.lenet(), (1, 28, 28)
    pages.push(page, widget, "layers", "input_size")
    agree(page, widget)
    assert page.locator(HEADS).first.inner_text().split() == ["conv1", "Conv2d"]
    widget.input_size = (3, 28, 28)
    pages.push(page, widget, "input_size")
    agree(page, widget)
    assert widget.mismatch.name == "conv1"


def test_random_stacks_look_as_torch_says(page):
    for layers, size in stacks()[:60:6]:
        widget = ShapeBuilder(layers, size)
        show(page, widget)
        agree(page, widget)


def test_two_views_show_the_same_and_close_without_a_trace(browser, widget):
    page = pages.mount(browser, widget, views=2)
    second = page.locator(".cu").nth(1)
    second.get_by_label("out_channels").first.fill("9")
    agree(page, widget, 0)
    agree(page, widget, 1)
    assert pages.close(page) == [0, 0, 0]
    page.evaluate("model.set('input_size', [1, 9, 9])")
    assert page.errors == []
    page.close()


@pytest.mark.parametrize(("theme", "width"), [("light", 700), ("dark", 700), ("light", 390)])
def test_it_fits_the_page(browser, theme, width, tmp_path):
    wide = [{"name": "a_name_that_is_rather_long_for_its_row", **layer("ReLU")}]
    wide += [conv(out_channels=512, kernel_size=[11, 13], stride=[1, 2], padding=[5, 6])]
    wide += [conv(in_channels=512, out_channels=512, kernel_size=11, dilation=[2, 1], groups=2)]
    wide += [layer("ConvTranspose2d", in_channels=3, out_channels=65536, kernel_size=3)]
    page = pages.mount(browser, ShapeBuilder(wide, (1, 512, 512)), theme, width=width)
    page.locator("summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # Nothing is written over its neighbour.
    assert (
        page.evaluate(
            """() => [...document.querySelectorAll(".sb-cell, .sb-name")]
          .filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.textContent)"""
        )
        == []
    )
    pages.looks(page, tmp_path, f"shape-builder-{theme}-{width}")
    page.close()
