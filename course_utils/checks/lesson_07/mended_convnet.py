"""Lesson 07, exercise 1: Mend it."""

import torch
import torch.nn.functional as F
from torch import nn

from course_utils.checks.engine import Exercise, Mistakes
from course_utils.checks.engine.probe import Probe

SILENCED = "lesson 07, 'Mended, or only silenced?'"
BATCHES = (169, 4, 1)  # 169 · 3136 numbers can be cut into rows of 2704: that must not pass


class _Do(nn.Module):
    """A function as a layer."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


class _Silent(nn.Sequential):
    """Answers zeros where it cannot answer."""

    def forward(self, x):
        try:
            return super().forward(x)
        except RuntimeError:
            return torch.zeros(len(x), 10)


def _network(
    *before,
    conv=(16, 3),
    pool=(2, 2),
    rows=nn.Flatten,
    features=3136,
    classes=10,
    kind=nn.Sequential,
    linear=nn.Linear,
):
    first = nn.LazyLinear(120) if linear is nn.LazyLinear else linear(features, 120)
    pools = (nn.MaxPool2d(*pool),) if isinstance(pool, tuple) else pool()
    convolution = nn.Conv2d(1, *conv, padding=1)
    layers = (convolution, nn.ReLU(), *pools, rows(), first, nn.ReLU(), nn.Linear(120, classes))
    return kind(*before, *layers)


def _crop(side):
    return _Do(lambda x: x[..., :side, :side])


def _verdict_on_network(build):
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(7)
        network = build()
        if network is None:
            return None
        if not isinstance(network, nn.Module):
            return "not_a_network"
        if any(isinstance(p, nn.parameter.UninitializedParameter) for p in network.parameters()):
            return "lazy"
        return _look_inside(network.eval())


def _look_inside(network):
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    options = [(c.out_channels, c.kernel_size, c.stride) for c in convolutions]
    linears = [m for m in network.modules() if isinstance(m, nn.Linear)]
    if options != [(16, (3, 3), (1, 1))] or not linears:
        return "another_network"
    maps, fed = [], []
    convolutions[0].register_forward_hook(lambda layer, args, output: maps.append(output))
    for linear in linears:
        linear.register_forward_pre_hook(lambda layer, args: fed.append(args[0]))
    for n in BATCHES:
        x = torch.rand(n, 1, 28, 28)
        maps.clear(), fed.clear()
        logits = network(x)
        if not isinstance(logits, torch.Tensor) or logits.ndim != 2 or len(logits) != n:
            return "images_cut"
        if logits.shape[1] != 10:
            return "classes"
        if found := _fault_of_features(network, maps[0], fed[0]):
            return found
        if not torch.allclose(network(x[:1])[0], logits[0], atol=1e-4):
            return "images_mixed"
    return _fault_of_pixels(network) or "mended"


def _fault_of_features(network, maps, fed):
    """What differs between the pooled maps and what the first Linear gets."""
    pooled = F.max_pool2d(maps.relu(), 2).flatten(1)
    if fed.shape == pooled.shape and torch.allclose(fed, pooled, atol=1e-5):
        return None
    if any(isinstance(m, nn.AdaptiveAvgPool2d | nn.AdaptiveMaxPool2d) for m in network.modules()):
        return "resized"
    pools = [m for m in network.modules() if isinstance(m, nn.MaxPool2d | nn.AvgPool2d)]
    if [(type(m), m.kernel_size, m.stride) for m in pools] != [(nn.MaxPool2d, 2, 2)] * bool(pools):
        return "pooling_changed"
    if fed.shape == pooled.shape:
        same = torch.allclose(fed.flatten().sort()[0], pooled.flatten().sort()[0], atol=1e-5)
        return "images_mixed" if same and len(fed) > 1 else "features_changed"
    return "features_thrown_away" if fed.numel() < pooled.numel() else "features_changed"


def _fault_of_pixels(network):
    x = torch.rand(64, 1, 28, 28, requires_grad=True)
    logits = network(x)
    if not logits.requires_grad:
        return "does_not_look"
    logits.square().sum().backward()
    used = (x.grad.abs().sum(0) > 0).sum().item()
    return None if used == 784 else "pixels_thrown_away" if used else "does_not_look"


mistake = Mistakes()
mistake.value(
    "lazy",
    lambda: _network(linear=nn.LazyLinear),
    "It is silenced: LazyLinear takes whatever number comes, also a wrong one, so a "
    "mistake in front of it would never show. Work the number out and write it down.",
)
mistake.value(
    "pixels_thrown_away",
    lambda: _network(_crop(27), features=2704),
    "It is silenced: some pixels of the image have no influence on the answer any more.",
    also=(lambda: _network(_crop(26), features=2704),),
)
mistake.value(
    "features_thrown_away",
    lambda: _network(
        rows=lambda: nn.Sequential(nn.Flatten(), _Do(lambda x: x[:, :2704])), features=2704
    ),
    "It is silenced: the first Linear does not get all the features that the pooling gives.",
    also=(
        lambda: _network(
            rows=lambda: nn.Sequential(_Do(lambda x: x[..., 1:, 1:]), nn.Flatten()),
            features=2704,
        ),
    ),
)
mistake.value(
    "resized",
    lambda: _network(pool=lambda: (nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(13)), features=2704),
    "It is silenced: an adaptive pooling blends the 14 × 14 cells until they fit. The "
    "layers were not at fault, the number was.",
    also=(
        lambda: _network(pool=lambda: (nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(1)), features=16),
        lambda: _network(pool=lambda: (nn.AdaptiveMaxPool2d(13),), features=2704),
    ),
)
mistake.value(
    "pooling_changed",
    lambda: _network(pool=(3, 2), features=2704),
    "The pooling is another one now, chosen so that the number fits. Keep windows of 2 × "
    "2, and let the number follow from the layers.",
    also=(
        lambda: _network(pool=lambda: (nn.AvgPool2d(2),)),
        lambda: _network(pool=(4, 4), features=784),
    ),
)
mistake.value(
    "images_cut",
    lambda: _network(rows=lambda: _Do(lambda x: x.reshape(-1, 2704)), features=2704),
    "The number of answers is not the number of images: the images are cut into pieces and "
    "glued together.",
)
mistake.value(
    "images_mixed",
    lambda: _network(rows=lambda: _Do(lambda x: x.reshape(3136, -1).T)),
    "The shape fits, but a row holds numbers of several images: the answer to an image "
    "depends on the others in its batch.",
    also=(lambda: _network(rows=lambda: _Do(lambda x: x.reshape(-1, len(x)).T)),),
)
mistake.value(
    "does_not_look",
    lambda: _network(features=2704, kind=_Silent),
    "It is silenced: nothing is raised, but the answer does not depend on the image at all.",
)
mistake.value(
    "classes",
    lambda: _network(classes=2),
    "It runs, but gives the wrong number of logits: there are ten digits.",
)
mistake.value(
    "another_network",
    lambda: _network(conv=(16, 5)),
    "That is another network. Keep the convolution: 16 channels, 3 × 3, stride 1.",
    also=(
        lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 10)),
        lambda: _network(conv=(16, 3, 2), features=784),
    ),
)
mistake.value(
    "features_changed",
    lambda: nn.Sequential(
        *(nn.Conv2d(1, 16, 3, padding=1), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(3136, 120), nn.ReLU(), nn.Linear(120, 10)),
    ),
    "What reaches the first Linear is not ReLU and pooling of the convolution's output. "
    "Keep the layers as they were.",
)
mistake.value(
    "not_a_network",
    lambda: 3136,
    "The function should return the network: nn.Sequential(…), or a module of your own.",
)


mended_convnet = Exercise(
    name="mended_convnet",
    lesson=SILENCED,
    reference=_network,
    prepare=lambda answer: Probe(answer, _verdict_on_network),
    seconds=20,
    mistakes=mistake,
)
