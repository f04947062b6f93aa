"""DepthExplorer says of a network what torch says of the module, in Python and in the browser."""

import itertools
import math
import random
import re

import page as pages
import pytest
import torch
import traitlets
from node import needs_node, run_node
from torch import nn

from course_utils import anatomy, models
from course_utils.widgets import DepthExplorer
from course_utils.widgets.depth_explorer import count

KERNELS = (1, 3, 5, 7)


def states():
    """Every depth with every kernel at random widths and sizes; every corner of the controls."""
    draw = random.Random(9)
    corners = itertools.product((1, 16), (1, 256), (1, 7), (8, 64))
    every = [
        (d, draw.randint(1, 256), k, draw.randint(8, 64)) for d in range(1, 17) for k in KERNELS
    ]
    names = ("depth", "width", "kernel_size", "input_size")
    return [dict(zip(names, s, strict=True)) for s in [(4, 16, 3, 28), *corners, *every]]


def on_paper(depth, width, kernel_size, input_size):
    with torch.device("meta"):
        return models.stacked_cnn(depth, width, kernel_size)


def kept_by_layer(model, size):
    """Bytes of what autograd saves, by the layer whose output it is; indices go to their pool."""
    out = torch.zeros(1, 1, size, size, device=next(model.parameters()).device)
    held, made, saved = [out], {out.untyped_storage()._cdata: "input"}, {}

    def pack(tensor):
        index_of = name if tensor.dtype == torch.int64 else None
        saved[tensor.untyped_storage()._cdata] = (tensor.untyped_storage(), index_of)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        for name, layer in model.named_children():
            out = layer(out)
            held.append(out)  # so that no memory is handed out twice
            made.setdefault(out.untyped_storage()._cdata, name)
    for parameter in model.parameters():
        saved.pop(parameter.untyped_storage()._cdata, None)
    kept = {}
    for address, (storage, index_of) in saved.items():
        layer = index_of or made[address]
        kept[layer] = kept.get(layer, 0) + storage.nbytes()
    return kept


def described(state):
    """The layers as torch has them, each ReLU counted with its convolution."""
    model, size = on_paper(**state), state["input_size"]
    summary, kept = anatomy.summarize(model, (1, 1, size, size)), kept_by_layer(model, size)
    layers = [["input", 1, size, 0, 0, 1, kept["input"]]]
    for row in summary.rows:
        if row.name.startswith("relu"):
            assert row.receptive_field == layers[-1][5]
            layers[-1][-1] = kept[row.name]
        elif row.name != "flatten":
            _, channels, *sides = row.output_shape
            side = sides[0] if sides else 1
            bytes_kept = 0 if row.name.startswith("conv") else kept.pop(row.name, 0)
            layers.append(
                [
                    row.name,
                    channels,
                    side,
                    row.parameters,
                    row.macs,
                    row.receptive_field,
                    bytes_kept,
                ]
            )
    totals = [
        *(summary.parameters, summary.macs, anatomy.receptive_field(model)),
        sum(layer[-1] for layer in layers),
    ]
    return {"state": state, "layers": layers, "totals": totals}


def reached(state):
    """For each convolution and pool the rows of the input that its middle number is made of."""
    model = models.stacked_cnn(state["depth"], 1, state["kernel_size"]).double()
    for parameter in model.parameters():
        nn.init.constant_(parameter, 0.5)
    x = torch.ones(1, 1, state["input_size"], state["input_size"], requires_grad=True).double()
    squares, out = [], x
    for name, layer in model.named_children():
        if name == "average":
            return squares
        # A maximum sends its gradient to one cell only; the average sees the same cells.
        out = nn.AvgPool2d(2)(out) if name.startswith("pool") else layer(out)
        out = out / out.detach().mean()  # so that many layers neither overflow nor vanish
        if not name.startswith("relu"):
            middle = (out.shape[-1] - 1) // 2
            (grad,) = torch.autograd.grad(out[0, 0, middle, middle], x, retain_graph=True)
            rows = grad[0, 0].abs().sum(1).nonzero().flatten().tolist()
            squares.append([name, rows[0], rows[-1] + 1])
    raise AssertionError("no average")


def refused(**state):
    with pytest.raises(traitlets.TraitError) as error:
        DepthExplorer(**state)
    return str(error.value)


IMPOSSIBLE = [
    *({"depth": n} for n in (0, 17, -1, 2.5)),
    *({"width": n} for n in (0, 257, 3.5)),
    *({"kernel_size": n} for n in (0, 2, 4, 9, -3)),
    *({"input_size": n} for n in (7, 65, 0, 28.5)),
]


@pytest.fixture(scope="module")
def networks():
    return [described(state) for state in states()]


@needs_node
def test_the_browser_counts_what_torch_counts(tmp_path, networks):
    default = DepthExplorer().network
    partners = []
    for state in random.Random(3).sample(states(), 15):
        w = DepthExplorer(**state)
        for what in ("parameters", "macs"):
            partners.append({"state": state, "what": what, "found": w.partners(what)})
    seen = [
        {"state": {**default, "depth": d, "kernel_size": k, "input_size": s}, "squares": None}
        for d, k, s in [
            *((1, 7, 9), (2, 3, 31), (3, 5, 64), (4, 3, 28), (4, 3, 29), (6, 3, 63)),
            *((5, 1, 8), (8, 3, 64), (16, 1, 33), (9, 5, 50), (16, 3, 64), (7, 7, 61)),
        ]
    ]
    for case in seen:
        case["squares"] = reached(case["state"])
    illegal = [
        {"state": {**default, **wrong}, "sentence": refused(**wrong)} for wrong in IMPOSSIBLE
    ]
    cases = {"networks": networks, "partners": partners, "seen": seen, "illegal": illegal}
    run_node("depth_explorer/counts.test.mjs", cases, tmp_path)


@pytest.mark.parametrize("wrong", IMPOSSIBLE, ids=str)
def test_an_impossible_value_is_refused_in_a_sentence_and_nothing_changes(wrong):
    widget = DepthExplorer()
    ((name, value),) = wrong.items()
    allowed = {"depth": "1 to 16", "width": "1 to 256", "input_size": "8 to 64"}.get(
        name, "1, 3, 5, 7"
    )
    with pytest.raises(
        traitlets.TraitError, match=rf"{name}={value} is not possible: .*{allowed}$"
    ):
        setattr(widget, name, value)
    assert widget.network == {"depth": 4, "width": 16, "kernel_size": 3, "input_size": 28}


@pytest.mark.parametrize("value", [True, "3", None, [3], float("nan")], ids=str)
@pytest.mark.parametrize("name", ["depth", "width", "kernel_size", "input_size", "equal"])
def test_a_value_of_another_type_is_refused(name, value):
    with pytest.raises(traitlets.TraitError, match=f"{name}=.* is not possible"):
        DepthExplorer(**{name: value})


def test_the_totals_are_those_of_the_module(networks):
    for network in random.Random(1).sample(networks, 10):
        widget, totals = DepthExplorer(**network["state"]), network["totals"]
        names = ["parameters", "macs", "receptive_field", "activation_bytes"]
        assert widget.output == dict(zip(names, totals, strict=True)), network["state"]
        assert [getattr(widget, name) for name in names] == totals


def test_the_formula_behind_the_partners_counts_what_torch_counts(networks):
    for network in networks:
        counts = [count(what, **network["state"]) for what in ("parameters", "macs")]
        assert counts == network["totals"][:2], network["state"]


@pytest.mark.parametrize("what", ["parameters", "macs"])
@pytest.mark.parametrize(
    "network", [(4, 16, 3, 28), (16, 256, 7, 64), (1, 3, 1, 8), (9, 40, 5, 31)]
)
def test_partners_are_the_nearest_of_all_widths_and_say_how_far_they_are_off(what, network):
    depth, width, kernel_size, size = network
    widget = DepthExplorer(depth=depth, width=width, kernel_size=kernel_size, input_size=size)
    own, found = (
        getattr(widget, what),
        {partner.depth: partner for partner in widget.partners(what)},
    )
    assert depth not in found
    for other in set(range(1, 17)) - {depth}:
        off = [abs(count(what, other, w, kernel_size, size) - own) for w in range(1, 257)]
        if min(off) > own / 10:
            assert other not in found
            continue
        partner = found[other]
        assert off[partner.width - 1] == min(off)
        module = on_paper(other, partner.width, kernel_size, size)
        assert partner.count == getattr(anatomy.summarize(module, (1, 1, size, size)), what)
        assert partner.difference == pytest.approx((partner.count - own) / own, abs=1e-15)
        assert abs(partner.difference) <= 0.1


def test_partners_follow_what_the_widget_shows():
    widget = DepthExplorer(equal="macs")
    assert widget.partners() == widget.partners("macs") != widget.partners("parameters")
    with pytest.raises(ValueError, match="equal='memory' is not possible: choose one of param"):
        widget.partners("memory")


def test_the_module_runs_and_is_the_network_that_is_shown():
    widget = DepthExplorer(depth=3, width=5, kernel_size=5, input_size=17)
    module = widget.to_module()
    assert module(torch.rand(2, 1, 17, 17)).shape == (2, 10)
    assert anatomy.count_parameters(module) == widget.parameters
    assert module is not widget.to_module()


def test_the_bytes_are_those_of_a_real_backward_pass_also_inside_no_grad():
    widget = DepthExplorer(depth=5, width=6, input_size=21)
    real = kept_by_layer(widget.to_module(), 21)  # on the processor, with numbers
    with torch.no_grad():
        assert widget.activation_bytes == sum(real.values())
    per_layer = [layer for layer in described(widget.network)["layers"] if layer[-1]]
    assert real == {name.replace("conv", "relu"): n for name, *_, n in per_layer}


RESULTS = [
    {"depth": 4, "width": 16, "kernel_size": 3, "accuracy": 0.981, "low": 0.979, "high": 0.984},
    {"depth": 2, "width": 27, "kernel_size": 3, "accuracy": 0.962, "low": 0.955, "high": 0.97},
    {"depth": 8, "width": 11, "kernel_size": 3, "accuracy": 0.987, "low": 0.98, "high": 0.99},
    {"depth": 2, "width": 8, "kernel_size": 5, "accuracy": 0.93, "low": 0.91, "high": 0.94},
    {"depth": 6, "width": 12, "kernel_size": 3, "input_size": 32, "accuracy": 0.97, "low": 0.9}
    | {"high": 1, "seeds": 5, "seconds": 12.5},
]


def test_measurements_are_kept_as_given_with_what_was_left_out():
    widget = DepthExplorer(results=RESULTS)
    assert widget.measured == {**RESULTS[0], "input_size": 28, "seeds": None}
    assert widget.results[4]["seeds"] == 5
    assert "seconds" not in widget.results[4]
    widget.depth = 5
    assert widget.measured is None
    widget.depth, widget.width = 6, 12
    assert widget.measured is None  # measured it was with images of 32 × 32
    widget.input_size = 32
    assert widget.measured["accuracy"] == 0.97
    widget.results = (row for row in RESULTS[:2])
    assert len(widget.results) == 2
    widget.results = None
    assert widget.measured is None


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"accuracy": 98.1}, r"results\[1\] has accuracy=98.1, .* give a share .* from 0 to 1"),
        ({"accuracy": float("nan")}, r"results\[1\] has accuracy=nan"),
        ({"accuracy": "0.9"}, r"results\[1\] has accuracy='0.9'"),
        ({"accuracy": True}, r"results\[1\] has accuracy=True"),
        ({"low": 0.97}, r"accuracy=0.962 outside its interval from 0.97 to 0.97"),
        ({"high": 0.96}, r"accuracy=0.962 outside its interval from 0.955 to 0.96"),
        ({"depth": 17}, r"results\[1\] has depth=17, .*: give a whole number from 1 to 16"),
        (
            {"width": 2.5},
            r"has width=2.5, which is not possible: give a whole number from 1 to 256",
        ),
        ({"kernel_size": 4}, r"has kernel_size=4, which is not possible: give one of 1, 3, 5, 7"),
        ({"input_size": 100}, r"has input_size=100, .*: give a whole number from 8 to 64"),
        ({"seeds": 0}, r"has seeds=0, .*: give a whole number from 1 upwards"),
        ({"depth": 4, "width": 16}, r"results\[1\] is the network of results\[0\] again"),
    ],
    ids=str,
)
def test_a_measurement_that_cannot_be_is_refused(change, sentence):
    widget = DepthExplorer(results=RESULTS[:1])
    with pytest.raises(traitlets.TraitError, match=sentence):
        widget.results = [RESULTS[0], {**RESULTS[1], **change}]
    assert len(widget.results) == 1


@pytest.mark.parametrize("results", ["sweep.csv", 5, {"depth": 4}, [1, 2]], ids=str)
def test_results_that_are_no_rows_are_refused(results):
    with pytest.raises(traitlets.TraitError, match=r"is not possible: give a (list of dicts|dict)"):
        DepthExplorer(results=results)


@pytest.mark.parametrize("key", ["depth", "width", "kernel_size", "accuracy", "low", "high"])
def test_a_measurement_needs_each_of_its_numbers(key):
    row = {name: value for name, value in RESULTS[0].items() if name != key}
    with pytest.raises(traitlets.TraitError, match=rf"results\[0\] has no '{key}': each row needs"):
        DepthExplorer(results=[row])


def test_several_values_can_be_set_together():
    widget = DepthExplorer()
    with widget.hold_trait_notifications():
        widget.depth, widget.width, widget.input_size = 16, 256, 64
    assert widget.output["macs"] == count("macs", 16, 256, 3, 64)


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"results": RESULTS},
        {"equal": "macs", "results": RESULTS, "depth": 5},
        {"depth": 16, "width": 256, "kernel_size": 7, "input_size": 64},
        {"depth": 1, "width": 1, "kernel_size": 1, "input_size": 8, "results": []},
    ],
    ids=["default", "measured", "not measured", "largest", "smallest"],
)
def test_the_static_picture_says_the_four_totals_the_partners_and_what_was_measured(state):
    widget = DepthExplorer(**state)
    figure = widget.draw()
    assert figure.get_figwidth() <= 7
    totals, said = widget.output, figure.alt_text
    assert f"{totals['parameters']:,} parameters, {totals['macs']:,} MACs for one image" in said
    field = totals["receptive_field"]
    assert f"a receptive field of {field} × {field} pixels" in said
    assert f"{totals['activation_bytes']:,} bytes kept for training" in said
    for partner in widget.partners():
        assert f"depth {partner.depth} × width {partner.width}" in said
    measured = "Measured: 98.1 % (97.9 % to 98.4 %)." if widget.measured else "Not measured."
    assert said.endswith(measured)
    drawn = " ".join(text.get_text() for axes in figure.axes for text in axes.texts)
    assert all(f"{partner.count:,}" in drawn for partner in widget.partners())


def test_the_display_bundle_has_the_widget_the_picture_and_its_words():
    widget = DepthExplorer(results=RESULTS)
    data, metadata = widget._repr_mimebundle_()
    assert data["image/png"].startswith(b"\x89PNG")
    assert "application/vnd.jupyter.widget-view+json" in data
    assert metadata["image/png"]["alt"] == data["text/plain"] == widget.draw().alt_text


# In the browser.


@pytest.fixture
def widget():
    return DepthExplorer()


def totals_shown(page, view=0):
    tiles = page.locator(".cu").nth(view).locator(".cu-tile .cu-total").all_inner_texts()
    return [int(text.split(" × ")[0].replace(",", "")) for text in tiles]


def agree(page, widget):
    """The page shows what torch says of the network that Python has heard of."""
    pages.settle(page)
    pages.pull(page, widget)
    assert totals_shown(page) == list(widget.output.values())
    for name in ("depth", "width"):
        assert page.get_by_label(name, exact=True).input_value() == str(getattr(widget, name))


def layer_words(page):
    return page.locator(".cu-words").first.inner_text()


def numbers_in(text):
    return [
        int(n.replace(",", "")) for n in re.findall(r"\d[\d,]*", re.sub(r"\([^)]*\)", "", text))
    ]


def test_every_slider_by_mouse_and_by_keyboard(page, widget):
    labels = {
        "depth": "depth",
        "width": "width",
        "kernel_size": "kernel size",
        "input_size": "input size",
    }
    for name, value in [("depth", 16), ("width", 77), ("kernel_size", 7), ("input_size", 9)]:
        page.get_by_label(labels[name], exact=True).fill(str(value))
        agree(page, widget)
        assert getattr(widget, name) == value
    for name, value in [("depth", 15), ("width", 76), ("kernel_size", 5), ("input_size", 8)]:
        page.get_by_label(labels[name], exact=True).focus()
        page.keyboard.press("ArrowLeft")
        agree(page, widget)
        assert getattr(widget, name) == value
    for name, low, high in [
        ("depth", 1, 16),
        ("width", 1, 256),
        ("kernel_size", 1, 7),
        ("input_size", 8, 64),
    ]:
        slider = page.get_by_label(labels[name], exact=True)
        track = slider.bounding_box()
        page.mouse.click(track["x"] + track["width"] - 1, track["y"] + track["height"] / 2)
        agree(page, widget)
        assert getattr(widget, name) == high
        slider.press("Home")
        agree(page, widget)
        assert getattr(widget, name) == low


@pytest.mark.parametrize(
    "state", [(4, 16, 3, 28), (16, 9, 5, 33), (1, 256, 7, 64), (2, 1, 1, 8)], ids=str
)
def test_every_layer_is_reached_with_the_arrow_keys_and_says_its_numbers(page, widget, state):
    for name, value in zip(("depth", "width", "kernel_size", "input_size"), state, strict=True):
        setattr(widget, name, value)
    pages.push(page, widget, "depth", "width", "kernel_size", "input_size")
    picture = page.get_by_role("slider", name="layer")
    picture.press("Home")
    input_size = state[3]
    for name, channels, size, parameters, macs, field, kept in described(widget.network)["layers"]:
        pages.settle(page)
        said = layer_words(page)
        assert picture.get_attribute("aria-valuetext") == said
        expected = [int(digits) for digits in re.findall(r"\d+", name)]  # conv3 is convolution 3
        if name == "input":
            expected += [1, size, size]
        elif name in ("average", "fc"):
            expected += [channels]
        else:
            expected += [channels, size, size, *([field, field] if field > 1 else [])]
        expected += [parameters, macs] if macs else []
        assert numbers_in(said) == expected + ([kept] if kept else []), said
        assert ("more than the input has" in said) == (field > input_size)
        picture.press("ArrowRight")
    pages.settle(page)
    assert layer_words(page).startswith("Linear layer: 10 numbers")  # the last one, it stays there


@pytest.mark.parametrize("state", [{}, {"depth": 6, "kernel_size": 5, "input_size": 33}], ids=str)
def test_the_receptive_field_is_drawn_where_torchs_gradient_reaches(page, widget, state):
    for name, value in state.items():
        setattr(widget, name, value)
    pages.push(page, widget, *widget.network)
    picture = page.get_by_role("slider", name="layer")
    paper = page.locator(".cu-paper")
    scale = float(paper.get_attribute("width")) / widget.input_size
    picture.press("Home")
    for name, low, high in reached(widget.network):
        picture.press("ArrowRight")
        pages.settle(page)
        square = page.locator(".cu-field")
        x, side = (float(square.get_attribute(key)) for key in ("x", "width"))
        start = (x - float(paper.get_attribute("x"))) / scale
        assert [start, start + side / scale] == pytest.approx([low, high]), name


def test_boxes_and_bars_are_to_scale(page, widget):
    layers = described(widget.network)["layers"]

    def sizes(kind, key):
        shapes = page.locator(f".cu-network {kind}")
        return [float(shape.get_attribute(key)) for shape in shapes.all()]

    heights, thicknesses = sizes(".cu-box", "height"), sizes(".cu-box", "width")
    assert [n / heights[1] for n in heights] == pytest.approx([layer[2] / 28 for layer in layers])
    big = [i for i, layer in enumerate(layers) if layer[1] > 1]  # one channel has its least width
    expected = [layers[i][1] / 16 for i in big]
    assert [thicknesses[i] / thicknesses[1] for i in big] == pytest.approx(expected)
    bars = iter(sizes(".cu-bar", "height"))
    for column in (3, 4, 6):
        counts = [layer[column] for layer in layers if layer[column]]
        got = [next(bars) for _ in counts]
        for bar, n in zip(got, counts, strict=True):
            assert bar == pytest.approx(max(1, 30 * n / max(counts)))
    assert list(bars) == []


def test_pointing_at_a_layer_shows_it_and_a_click_keeps_it(page):
    before = layer_words(page)
    assert before.startswith("Convolution 4: 16 channels of 7 × 7")
    box = page.locator(".cu-box").nth(2).bounding_box()
    page.mouse.move(box["x"] + 3, box["y"] + 10)
    pages.settle(page)
    assert layer_words(page).startswith("Convolution 2: 16 channels of 28 × 28")
    page.mouse.move(2, 2)
    pages.settle(page)
    assert layer_words(page) == before
    page.mouse.click(box["x"] + 3, box["y"] + 200)  # the bars below belong to the same layer
    page.mouse.move(2, 2)
    pages.settle(page)
    assert layer_words(page).startswith("Convolution 2:")
    page.get_by_label("depth", exact=True).fill("1")  # there is no such layer any more
    pages.settle(page)
    assert layer_words(page).startswith("Convolution 1:")


def table(page):
    rows = page.locator(".cu-costs").first.locator("tbody tr:visible").all()
    return [row.locator("th, td:visible").all_inner_texts() for row in rows]


@pytest.mark.parametrize("what", ["parameters", "macs"])
def test_the_table_lists_the_partners_with_all_their_costs(page, widget, what):
    page.get_by_label("Other networks with nearly as many").select_option(what)
    agree(page, widget)
    assert widget.equal == what
    listed = {row[0]: row for row in table(page)}
    assert listed.pop("depth 4 × width 16")[1] == "this network"
    assert len(listed) == len(widget.partners())
    for partner in widget.partners():
        costs = DepthExplorer(depth=partner.depth, width=partner.width)
        row = listed[f"depth {partner.depth} × width {partner.width}"]
        assert row[1].startswith("+" if partner.difference > 0 else "−")
        shown = float(row[1][1:-2])
        assert shown == pytest.approx(abs(100 * partner.difference), abs=0.051)
        assert shown > 0
        field = costs.receptive_field
        expected = [f"{costs.parameters:,}", f"{costs.macs:,}", f"{field} × {field}"]
        assert row[2:] == [*expected, f"{costs.activation_bytes:,}"]
    hint = page.locator("section .cu-hint").first.inner_text()
    assert hint.startswith(
        "Not listed: depth 1, 15." if what == "parameters" else "Not listed: depth 1."
    )


def test_a_row_is_gone_to_by_mouse_and_by_keyboard_and_keeps_the_focus(page, widget):
    page.get_by_role("button", name="depth 7 × width 11").click()
    agree(page, widget)
    assert (widget.depth, widget.width) == (7, 11)
    assert page.locator("[aria-current]").inner_text() == "depth 7 × width 11"
    (width,) = (partner.width for partner in widget.partners() if partner.depth == 3)
    page.get_by_role("button", name=f"depth 3 × width {width}").focus()
    page.keyboard.press("Enter")
    agree(page, widget)
    assert widget.depth == 3
    assert page.evaluate("document.activeElement.textContent").startswith("depth 3 × width")


def test_a_pinned_network_is_compared_with_by_ratios(page, widget):
    page.get_by_role("button", name="keep this network").click()
    first = DepthExplorer()
    page.get_by_label("width", exact=True).fill("40")
    page.get_by_label("input size", exact=True).fill("50")
    agree(page, widget)
    ratios = page.locator(".cu-ratio").all_inner_texts()
    for said, now, then in zip(ratios, widget.output.values(), first.output.values(), strict=True):
        ratio = float(said.removeprefix("this ÷ A = ").replace(",", ""))
        assert ratio == pytest.approx(now / then, rel=0.005)
    assert page.get_by_text("A: depth 4 × width 16, kernel 3, input 28").is_visible()
    page.get_by_role("button", name="go to A").press("Enter")
    agree(page, widget)
    assert (widget.width, widget.input_size) == (16, 28)
    assert page.get_by_text("A: depth 4 × width 40, kernel 3, input 50").is_visible()
    page.get_by_role("button", name="stop comparing").press("Enter")
    pages.settle(page)
    assert "".join(page.locator(".cu-ratio").all_inner_texts()) == ""
    assert page.evaluate("document.activeElement.textContent") == "pin as A"


def test_without_measurements_it_says_so(page):
    assert page.get_by_text("No measurements loaded.").is_visible()
    assert page.locator(".cu-plot svg").count() == 0
    assert page.get_by_text("all measurements").is_hidden()


def test_measurements_are_drawn_where_they_were_measured_and_marked_by_shape_and_name(browser):
    widget = DepthExplorer(results=RESULTS)
    page = pages.mount(browser, widget)
    marks = {m: page.locator(f".cu-point-{m}") for m in range(3)}
    assert marks[2].get_attribute("data-network") == "4×16"
    assert [p.get_attribute("data-network") for p in marks[1].all()] == ["2×27", "8×11"]
    assert marks[0].count() == 2  # another kernel, another input: no partners
    assert len({mark.first.locator(".cu-shape").get_attribute("d") for mark in marks.values()}) == 3
    plot = page.locator(".cu-plot svg")
    assert plot.get_by_text("this: 4 × 16, 98.1 %").is_visible()
    assert plot.get_by_text("8 × 11, 98.7 %").is_visible()
    assert "Accuracy of 5 measured networks against their parameters." in plot.get_attribute(
        "aria-label"
    )

    def places():
        found = {}
        for point in page.locator(".cu-point").all():
            move = point.locator(".cu-shape").get_attribute("transform")
            bar = [
                float(n)
                for n in re.findall(r"-?[\d.]+", point.locator(".cu-interval").get_attribute("d"))
            ]
            x, y = (float(n) for n in re.findall(r"-?[\d.]+", move))
            found[point.get_attribute("data-network")] = (x, y, bar[1], bar[2])
        return found

    for what in ("parameters", "macs"):
        page.get_by_label("Other networks with nearly as many").select_option(what)
        pages.settle(page)
        at, known = places(), {}
        for row in widget.results:
            cost = count(what, *(row[k] for k in ("depth", "width", "kernel_size", "input_size")))
            known[f"{row['depth']}×{row['width']}"] = (math.log10(cost), row)
        (x0, y0, *_), (cost0, row0) = at["4×16"], known["4×16"]
        (x1, y1, *_), (cost1, row1) = at["2×8"], known["2×8"]
        rise = (y1 - y0) / (row1["accuracy"] - row0["accuracy"])
        for name, (x, y, low, high) in at.items():
            cost, row = known[name]
            assert x == pytest.approx(x0 + (x1 - x0) * (cost - cost0) / (cost1 - cost0), abs=0.01)
            for got, key in ((y, "accuracy"), (low, "low"), (high, "high")):
                assert got == pytest.approx(y0 + rise * (row[key] - row0["accuracy"]), abs=0.01)
    page.get_by_label("Other networks with nearly as many").select_option("parameters")
    pages.settle(page)
    cells = {row[0]: row[-1] for row in table(page)}
    assert cells["depth 2 × width 27"] == "96.2 % (95.5–97.0)"
    assert cells["depth 6 × width 12"] == "not measured"  # it was, but with another input
    page.locator(".cu-point[data-network='2×8'] text").click()
    agree(page, widget)
    assert (widget.depth, widget.width, widget.kernel_size) == (2, 8, 5)
    page.get_by_text("all measurements").click()
    page.get_by_role("button", name="depth 6 × width 12").last.press("Enter")
    agree(page, widget)
    assert (widget.depth, widget.input_size) == (6, 32)
    page.get_by_label("depth", exact=True).fill("5")
    pages.settle(page)
    assert plot.get_by_text("this network: not measured").is_visible()
    assert marks[2].count() == 0
    widget.results = None
    pages.push(page, widget, "results")
    assert page.get_by_text("No measurements loaded.").is_visible()
    assert page.errors == []
    page.close()


def test_what_the_browser_is_told_to_do_and_cannot_is_said_in_pythons_words(page, widget):
    page.get_by_label("kernel size").evaluate(
        """(input) => { input.step = 1; input.value = 4;
          input.dispatchEvent(new Event("input", { bubbles: true })); }"""
    )
    pages.settle(page)
    assert page.locator(".cu-refusal").inner_text() == f"Not possible: {refused(kernel_size=4)}."
    assert totals_shown(page) == list(widget.output.values())
    page.get_by_label("kernel size").fill("5")
    agree(page, widget)
    assert widget.kernel_size == 5
    assert page.locator(".cu-refusal").is_hidden()


def test_python_changes_what_the_browser_shows(page, widget):
    widget.depth, widget.width, widget.kernel_size, widget.input_size = 11, 33, 1, 47
    pages.push(page, widget, "depth", "width", "kernel_size", "input_size")
    agree(page, widget)


def test_two_views_of_one_network_agree_and_have_their_own_layer_and_ids(browser):
    widget = DepthExplorer(results=RESULTS)
    page = pages.mount(browser, widget, views=2)
    page.get_by_label("depth", exact=True).first.fill("9")
    pages.settle(page)
    assert totals_shown(page, 0) == totals_shown(page, 1)
    page.get_by_role("slider", name="layer").first.press("Home")
    pages.settle(page)
    said = page.locator(".cu-words").all_inner_texts()
    assert said[0].startswith("Input:")
    assert said[1].startswith("Convolution 9:")
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((element) => element.id)")
    assert len(ids) == len(set(ids))
    assert page.errors == []
    assert pages.close(page) == [0, 0, 0]
    page.close()


def test_closing_leaves_nothing_listening(page):
    page.get_by_role("slider", name="layer").press("Home")
    assert pages.close(page) == [0, 0, 0]


@pytest.mark.parametrize("width", [700, 390])
def test_the_largest_and_the_smallest_network_fit_the_page(browser, width):
    widget = DepthExplorer(results=RESULTS, depth=16, width=256, kernel_size=7, input_size=64)
    page = pages.mount(browser, widget, width=width)
    for depth, channels in ((16, 256), (1, 1)):
        widget.depth, widget.width = depth, channels
        pages.push(page, widget, "depth", "width")
        page.get_by_role("button", name="keep this network").click()
        pages.settle(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        beyond = page.evaluate(
            """() => { const svgs = [...document.querySelectorAll("svg")];
              return svgs.flatMap((svg) => {
                const box = svg.getBoundingClientRect();
                return [...svg.querySelectorAll("text, rect")].filter((e) => {
                  const { left, right } = e.getBoundingClientRect();
                  return left < box.left - 1 || right > box.right + 1;
                }).map((e) => e.outerHTML);
              });
            }"""
        )
        assert beyond == []
    assert page.errors == []
    page.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_picture_for_a_person_to_look_at(browser, tmp_path, theme):
    page = pages.mount(browser, DepthExplorer(results=RESULTS), theme)
    pages.looks(page, str(tmp_path), f"depth_{theme}")
    assert page.errors == []
    page.close()
