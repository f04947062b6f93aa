"""interpret says what the network computed, names what is wrong, and leaves the model as it was."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from course_utils import anatomy, interpret, models
from course_utils.widgets import DigitPad


@pytest.fixture
def network():
    """The course's network with statistics as after a training, in eval mode, all but one layer."""
    torch.manual_seed(0)
    model = models.mnist_cnn()
    for _ in range(3):
        model(torch.rand(50, 1, 28, 28))
    for norm in (model.norm1, model.norm2):
        nn.init.normal_(norm.weight, 1, 0.3)
        nn.init.normal_(norm.bias, 0, 0.3)
    model.eval()
    model.norm1.train()
    return model


@pytest.fixture
def images():
    return torch.rand(7, 1, 28, 28, generator=torch.Generator().manual_seed(1))


def evaluated(model):
    return copy.deepcopy(model).eval()


def test_feature_maps_are_what_the_layers_before_give(network, images):
    with torch.no_grad():
        expected = evaluated(network)[:4](images)
    for batch_size in (1, 3, 500):
        maps = interpret.feature_maps(network, images, "relu1", batch_size=batch_size)
        torch.testing.assert_close(maps, expected)
    assert not maps.requires_grad


def test_a_layer_that_works_in_place_spoils_no_maps_before_it(images):
    model = nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(2028, 4)
    )
    with torch.no_grad():
        assert torch.equal(interpret.feature_maps(model, images, "0"), model[0](images))
    plain = nn.Sequential(model[0], nn.ReLU(), model[2], model[3])
    for layer in ("0", "1"):
        cams = [interpret.grad_cam(m, images, 2, layer) for m in (model, plain)]
        assert torch.equal(*cams)


@pytest.mark.parametrize("look", [interpret.grad_cam, interpret.occlusion, interpret.feature_maps])
def test_the_model_stays_as_it_was_also_after_an_error(look, network, images):
    modes = [m.training for m in network.modules()]
    before = copy.deepcopy(network.state_dict())
    extra = ("conv2",) if look is interpret.feature_maps else ()
    look(network, images, *extra)
    for wrong in (images[..., :20], images.repeat(1, 3, 1, 1)):
        with pytest.raises(ValueError, match=r"layer '(fc1|conv1)'"):
            look(network, wrong, *extra)
    assert [m.training for m in network.modules()] == modes
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())
    assert all(p.grad is None and p.requires_grad for p in network.parameters())
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_grad_cam_is_the_formula_of_the_paper(network, images):
    model = evaluated(network)
    maps = model[:8](images).detach().requires_grad_()
    target = torch.tensor([3, 1, 4, 1, 5, 9, 2])
    model[8:](maps)[torch.arange(7), target].sum().backward()
    expected = (maps.grad.mean((2, 3), keepdim=True) * maps.detach()).sum(1).relu()
    expected /= expected.amax((1, 2), keepdim=True).clamp(min=1e-12)
    got = interpret.grad_cam(network, images, target, batch_size=3)
    torch.testing.assert_close(got, expected)
    assert torch.equal(got, interpret.grad_cam(network, images, target.tolist(), batch_size=3))


@pytest.mark.parametrize("layer", [None, "conv2", "pool2", "norm2", "relu2"])
def test_grad_cam_equals_that_of_the_digit_pad(layer, network, images):
    pad = DigitPad(network)
    assert pad.cam_layer == interpret.last_activation(network) == "relu2"
    for target in (None, 0, 8):
        got = interpret.grad_cam(network, images, target, layer)
        for image, cam in zip(images, got, strict=True):
            pad.image = image[0]
            torch.testing.assert_close(cam, pad.grad_cam(layer, target), rtol=1e-3, atol=1e-4)


def test_the_default_layer_of_grad_cam_is_that_of_the_digit_pad_for_other_networks():
    networks = [models.lenet(), models.stacked_cnn(3, 4), models.stacked_cnn(2, 4, normalize=True)]
    networks.append(nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.ReLU(), nn.Linear(1352, 10)))
    for model in networks:
        assert interpret.last_activation(model) == DigitPad(model).cam_layer


def test_grad_cam_needs_no_trainable_weights_and_works_without_gradients(network, images):
    expected = interpret.grad_cam(network, images)
    network.requires_grad_(False)
    with torch.no_grad():
        assert torch.equal(interpret.grad_cam(network, images), expected)


def test_where_nothing_speaks_for_a_class_grad_cam_is_0(images):
    model = nn.Sequential(nn.Conv2d(1, 2, 5), nn.ReLU(), nn.Flatten(), nn.Linear(1152, 10))
    nn.init.constant_(model[3].weight, -1)
    assert not interpret.grad_cam(model, images).any()


def test_a_softmax_at_the_end_changes_nothing(network, images):
    for end in (nn.Softmax(1), nn.LogSoftmax(1)):
        model = nn.Sequential(*network, end)
        pairs = [
            (interpret.grad_cam(m, images), interpret.occlusion(m, images[:2], stride=7))
            for m in (model, network)
        ]
        for one, two in zip(*pairs, strict=True):
            torch.testing.assert_close(one, two)


def test_occlusion_is_the_drop_of_the_probability_place_by_place(network, images):
    model, target = evaluated(network), 3
    got = interpret.occlusion(
        network, images[:2], target, patch=9, stride=6, value=0.5, batch_size=5
    )
    assert got.shape == (2, 4, 4)
    with torch.no_grad():
        for n in (0, 1):
            before = model(images[n : n + 1]).softmax(1)[0, target]
            for i in range(4):
                for j in range(4):
                    hidden = images[n : n + 1].clone()
                    hidden[..., 6 * i : 6 * i + 9, 6 * j : 6 * j + 9] = 0.5
                    drop = before - model(hidden).softmax(1)[0, target]
                    torch.testing.assert_close(got[n, i, j], drop)
    by_default = interpret.occlusion(network, images[:2])
    with torch.no_grad():
        said = model(images[:2]).argmax(1)
    assert torch.equal(by_default, interpret.occlusion(network, images[:2], said))


STACKS = {
    "the course's network": models.mnist_cnn()[:8],
    "lenet": models.lenet()[:6],
    "strides": nn.Sequential(nn.Conv2d(1, 3, 3, stride=2, padding=1), nn.Conv2d(3, 2, 2, stride=3)),
    "dilation": nn.Sequential(nn.Conv2d(1, 2, 3, dilation=2, padding=2), nn.Conv2d(2, 2, 3)),
    "same": nn.Sequential(nn.Conv2d(1, 2, 4, padding="same"), nn.AvgPool2d(3, stride=2, padding=1)),
    "one pool twice": nn.Sequential(nn.Conv2d(1, 2, 3), *[nn.MaxPool2d(2)] * 2),
}


@pytest.mark.parametrize("name", STACKS)
def test_a_field_begins_and_ends_where_the_gradient_does(name):
    torch.manual_seed(0)
    stack = STACKS[name].eval()
    last = [n for n, _ in stack.named_modules() if n][-1]
    field = interpret.field_of(stack, last, (1, 41, 41))
    if name != "one pool twice":  # anatomy follows the layers registered, not those that ran
        assert field.size == anatomy.receptive_field(stack)
    x = torch.rand(300, 1, 41, 41, requires_grad=True)
    output = stack(x)
    for cell in (output.shape[2] // 2, output.shape[2] // 2 - 1):
        cells = output[:, :, cell, output.shape[3] // 2].square().sum()
        (gradient,) = torch.autograd.grad(cells, x, retain_graph=True)
        rows = gradient.abs().sum((0, 1, 3)).nonzero().flatten().tolist()
        seen = field.pixels(cell)
        assert (rows[0], rows[-1]) == (seen[0], seen[-1])


def test_a_skip_that_keeps_the_size_does_no_harm_to_a_field():
    plain, residual = (models.stacked_cnn(4, 3, residual=r) for r in (False, True))
    names = "pool3", "block3"
    fields = [interpret.field_of(residual, name) for name in names]
    assert fields[0] == interpret.field_of(plain, "pool3")
    assert fields[1].size == 1 + 2 + 2 + 1 + 2 * 2


def test_the_top_patches_alone_give_the_same_answer(network, images):
    top = interpret.top_patches(network, images, "relu2", channel=5, count=4)
    assert top.patches.shape == (4, 1, 16, 16)
    assert top.values.tolist() == sorted(top.values.tolist(), reverse=True)
    with torch.no_grad():
        alone = evaluated(network)[:8](top.patches)[:, 5, 0, 0]
    torch.testing.assert_close(alone, top.values)
    maps = interpret.feature_maps(network, images, "relu2")[:, 5]
    assert top.values[0] == maps.max()
    for value, image, (i, j) in zip(top.values, top.images, top.places, strict=True):
        assert maps[image, i, j] == value
    assert len(set(top.images.tolist())) == 4


def test_a_patch_that_hangs_over_the_border_is_filled_with_0():
    layer = nn.Conv2d(1, 1, 3, padding=1)
    nn.init.ones_(layer.weight)
    x = torch.zeros(1, 1, 6, 6)
    x[0, 0, 0, 0] = 5
    top = interpret.top_patches(nn.Sequential(layer), x, "0", 0, count=1)
    assert top.places.tolist() == [[0, 0]]
    assert torch.equal(top.patches[0, 0], F.pad(x, (1, 1, 1, 1))[0, 0, :3, :3])


def test_what_does_not_fit_is_said_in_a_sentence(network, images):
    look = interpret
    cases = [
        (
            lambda: look.feature_maps(network, images, "conv9"),
            "'conv9' is not a layer.*conv1, pool1",
        ),
        (
            lambda: look.feature_maps(network, images[0], "conv1"),
            r"\(1, 28, 28\).*x\[None\] adds N",
        ),
        (lambda: look.feature_maps(network, images[0, 0], "conv1"), r"x\[None, None\] adds"),
        (lambda: look.feature_maps(network, images[:0], "conv1"), "holds no image"),
        (lambda: look.feature_maps(network, images.byte(), "conv1"), "torch.uint8.*floating"),
        (lambda: look.feature_maps(network, images.numpy(), "conv1"), "ndarray.*tensor"),
        (lambda: look.feature_maps(network, images, "conv1", 0), "batch_size=0 is too small"),
        (lambda: look.grad_cam(models.mlp(), images), "needs a convolution layer"),
        (lambda: look.grad_cam(network, images, layer="fc1"), r"gives \(7, 72\), no maps"),
        (lambda: look.grad_cam(network, images, 10), "target=10 is not possible.*0 to 9"),
        (lambda: look.grad_cam(network, images, [1, 2]), "one for each of the 7"),
        (lambda: look.grad_cam(network, images, 1.5), "target=1.5"),
        (lambda: look.occlusion(network, images, -1), "target=-1"),
        (lambda: look.occlusion(network, images, patch=29), "patch=29 is larger than.*28 × 28"),
        (lambda: look.occlusion(network, images, stride=0), "stride=0 is too small"),
        (lambda: look.occlusion(network[:8], images), r"\(7, 32, 4, 4\).*\(N, classes\)"),
        (lambda: look.top_patches(network, images, "fc1", 0), "'flatten'.*comes before it"),
        (lambda: look.top_patches(network, images, "relu2", 32), "channel=32.*32 channels"),
        (lambda: look.top_patches(network, images, "relu2", 0, 8), "count=8.*7 images"),
        (lambda: look.field_of(nn.Sequential(nn.Conv2d(1, 1, (3, 5))), "0"), "rows and columns"),
    ]
    for call, sentence in cases:
        with pytest.raises(ValueError, match=sentence):
            call()


def test_a_layer_that_does_not_run_is_named(images):
    class Idle(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.idle = nn.Conv2d(1, 10, 28), nn.Conv2d(1, 1, 3)

        def forward(self, x):
            return self.used(x).flatten(1)

    looks = [
        lambda: interpret.feature_maps(Idle(), images, "idle"),
        lambda: interpret.grad_cam(Idle(), images, layer="idle"),
        lambda: interpret.field_of(Idle(), "idle"),
    ]
    for look in looks:
        with pytest.raises(ValueError, match="'idle' did not run"):
            look()


def test_an_overlay_draws_a_cell_in_the_middle_of_what_it_sees(images):
    maps = torch.zeros(2, 4, 4)
    maps[0, 1, 2], maps[1, 3, 0] = 1, -1
    figure = interpret.draw_overlays(images[:2], maps, interpret.Field(16, 4, 0), ["one", "two"])
    picture = figure.axes[0].get_images()[0]
    assert list(picture.get_extent()) == [5.5, 21.5, 21.5, 5.5]
    assert "one: largest in row 1, column 2 of 4 × 4" in figure.alt_text
    assert [t.get_text() for t in figure.axes[0].texts] == ["+"]
    assert [t.get_text() for t in figure.axes[1].texts] == ["−"]
    with pytest.raises(ValueError, match="2 images, 1 maps and 2 titles"):
        interpret.draw_overlays(images[:2], maps[:1], interpret.Field(16, 4, 0), ["a", "b"])


@pytest.mark.parametrize(("padding", "start"), [("valid", 0), ("same", -2), (1, -1)])
def test_a_padding_in_words_is_as_many_rows_as_torch_adds(padding, start):
    stack = nn.Sequential(nn.Conv2d(1, 1, 5, padding=padding), nn.ReLU(), nn.Conv2d(1, 1, 2))
    assert interpret.field_of(stack, "0", (1, 20, 20)) == interpret.Field(5, 1, start)
    assert interpret.field_of(stack, "2", (1, 20, 20)) == interpret.Field(6, 1, start)


def test_overlays_share_one_signed_scale_lie_over_their_outline_and_have_the_scale_beside_them():
    image = torch.zeros(1, 12, 12)
    image[:, 3:9, 3:9] = 1
    maps = torch.tensor([[[1.0, -4.0], [0.0, 0.5]], [[2.0, 0.0], [0.0, 0.0]]])
    field = interpret.Field(4, 4, 1)
    figure = interpret.draw_overlays([image] * 2, maps, field, ["one", "two"], label="drop")
    *pictures, bar = figure.axes
    assert bar.get_ylabel() == "drop"
    assert bar.get_ylim() == (-4, 4)
    for axes, each in zip(pictures, maps, strict=True):
        (shown,) = axes.get_images()
        assert torch.equal(torch.as_tensor(shown.get_array().data), each.double())
        assert shown.get_clim() == (-4, 4)
        assert shown.get_cmap()(0.5)[:3] == pytest.approx((1, 1, 1), abs=0.01)
        assert list(shown.get_extent()) == [0.5, 8.5, 8.5, 0.5]
        assert (axes.get_xlim(), axes.get_ylim()) == ((-0.5, 11.5), (11.5, -0.5))
        assert not axes.axison
        dashed, solid = axes.patches
        assert (*dashed.get_xy(), dashed.get_width(), dashed.get_height()) == (0.5, 0.5, 8, 8)
        assert (*solid.get_xy(), solid.get_width(), solid.get_height()) == (-0.5, -0.5, 12, 12)
        assert dashed.get_linestyle() == "--" != solid.get_linestyle()
        assert not any(patch.get_fill() for patch in axes.patches)
        (outline,) = axes.collections  # of the strokes, half-way from dark to bright
        (path,) = outline.get_paths()
        assert path.vertices.min() == 2.5
        assert path.vertices.max() == 8.5
        assert list(outline.levels) == [0.5]
    signs = [{t.get_text(): t.get_position() for t in axes.texts} for axes in pictures]
    # A sign stands in the middle of what its cell sees; 0.15 of the largest is too little for one.
    assert signs == [{"+": (2.5, 2.5), "−": (6.5, 2.5)}, {"+": (2.5, 2.5)}]
    assert [axes.get_title() for axes in pictures] == ["one", "two"]


def test_overlays_stand_in_rows_of_five_and_a_picture_without_strokes_has_no_outline():
    images, maps = torch.zeros(6, 5, 5), torch.zeros(6, 2, 2)
    maps[0, 1, 1], maps[1, 0, 0] = float("nan"), 1
    maps[2] = float("nan")
    figure = interpret.draw_overlays(images, maps, interpret.Field(2, 2, 0))
    grid = figure.axes[0].get_gridspec()
    assert (grid.nrows, grid.ncols) == (2, 5)
    assert not any(axes.collections for axes in figure.axes[:10])
    assert figure.axes[0].get_title() == "(1 of 4 numbers are nan or infinite)"
    assert [len(axes.get_images()) for axes in figure.axes[:10]] == [1] * 6 + [0] * 4
    assert not any(axes.axison for axes in figure.axes[:10])
    said = figure.alt_text.split(". ", 1)[1].split("; ")
    assert said[0].endswith("numbers are nan or infinite): 0 everywhere")
    assert said[1] == "picture 2: largest in row 0, column 0 of 2 × 2"
    assert said[2].endswith(": no number")
    assert interpret.draw_overlays(images, maps, interpret.Field(2, 2, 0), columns=2).axes[
        0
    ].get_gridspec().get_geometry() == (3, 2)


class Ending(nn.Module):
    def __init__(self, body, end):
        super().__init__()
        self.body, self.end = body, end

    def forward(self, x):
        return self.end(self.body(x))


@pytest.mark.parametrize(
    "end",
    [
        nn.Softmax(1),
        nn.LogSoftmax(dim=-1),
        lambda y: F.softmax(y, dim=1),
        lambda y: F.log_softmax(y, dim=1),
        lambda y: F.softmax(input=y, dim=1),
        lambda y: torch.softmax(y, 1),
        lambda y: torch.log_softmax(y, 1),
        lambda y: y.softmax(-1),
        lambda y: y.log_softmax(-1),
    ],
)
def test_a_softmax_at_the_end_changes_no_map_however_it_is_written(end):
    torch.manual_seed(0)
    body, x = models.lenet(), torch.rand(3, 1, 28, 28)
    whole, layer = Ending(body, end), interpret.last_activation(body)
    maps = [interpret.grad_cam(body, x, target=digit, layer=layer) for digit in range(10)]
    digit, plain = max(enumerate(maps), key=lambda pair: pair[1].sum().item())
    assert plain.any()
    ours = interpret.grad_cam(whole, x, target=digit, layer=f"body.{layer}")
    torch.testing.assert_close(ours, plain)
    ours, theirs = (interpret.occlusion(model, x, target=digit) for model in (whole, body))
    torch.testing.assert_close(ours, theirs)


def test_a_softmax_in_the_middle_is_a_part_of_the_network():
    body = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Softmax(1))
    model, x = body.append(nn.Linear(4 * 26 * 26, 10)), torch.rand(1, 1, 28, 28)
    drop = interpret.occlusion(model, x, target=1, patch=28, stride=28)
    with torch.no_grad():
        both = model(torch.cat([x, torch.zeros_like(x)])).softmax(1)[:, 1]
    torch.testing.assert_close(drop.flatten()[0], both[0] - both[1])
