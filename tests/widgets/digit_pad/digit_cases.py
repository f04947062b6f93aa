"""Networks and drawings for the tests of DigitPad, with what torch says of them."""

import base64
import random

import torch
import torch.nn.functional as F
from torch import nn

from course_utils import models
from course_utils.plotting import SIGNED
from course_utils.widgets.digit_pad import network_description, prepare_digit
from course_utils.widgets.digit_pad.answers import percent, say


def in_text(tensor):
    return base64.b64encode(tensor.detach().contiguous().numpy().astype("<f4").tobytes()).decode()


def shake(model, seed=0):
    """Random weights and statistics, also where torch would start with 0 and 1."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
            if tensor.is_floating_point():
                noise = torch.rand(tensor.shape, generator=generator)
                if "running_var" in name:
                    tensor.copy_(noise + 0.2)
                elif "norm" in name or tensor.ndim == 1:
                    tensor.copy_(noise * 2 - 0.7)
                else:
                    tensor.copy_((noise - 0.5) * 4 / tensor[0].numel() ** 0.5)
    return model.eval()


def _head(*body):
    """A network of these layers that ends in ten logits."""
    with torch.no_grad():
        numbers = nn.Sequential(*body, nn.Flatten()).eval()(torch.zeros(1, 1, 28, 28)).numel()
    return nn.Sequential(*body, nn.Flatten(), nn.Linear(numbers, 10))


def networks():
    """(name, network): the course's own, one for each layer and option, and random stacks."""
    yield "mnist_cnn", models.mnist_cnn()
    yield "lenet", models.lenet()
    yield "mlp", models.mlp()
    conv = nn.Conv2d(1, 6, 3)
    yield "stride", _head(nn.Conv2d(1, 4, (5, 3), stride=(3, 2)))
    yield "padding", _head(nn.Conv2d(1, 4, (5, 3), padding=(1, 3), stride=2))
    yield "same, odd", _head(nn.Conv2d(1, 4, (5, 3), padding="same"), nn.MaxPool2d(3))
    yield "same, even", _head(nn.Conv2d(1, 3, (4, 2), padding="same"), nn.Tanh())
    yield "same, dilated", _head(nn.Conv2d(1, 3, (4, 3), padding="same", dilation=(3, 2)))
    yield "valid", _head(nn.Conv2d(1, 3, 4, padding="valid"), nn.ReLU())
    yield "dilation", _head(nn.Conv2d(1, 4, (3, 4), dilation=(4, 2), padding=2))
    yield "groups", _head(conv, nn.Conv2d(6, 9, 3, groups=3, stride=3), nn.SiLU())
    yield "depthwise", _head(conv, nn.Conv2d(6, 12, 3, groups=6, bias=False), nn.MaxPool2d(4))
    yield "max pool", _head(conv, nn.MaxPool2d((3, 2), (2, 3), (1, 0), (2, 1)), nn.ReLU())
    yield "ceil mode", _head(conv, nn.MaxPool2d(3, 4, padding=1, ceil_mode=True))
    yield "average pool", _head(conv, nn.AvgPool2d((3, 4), (2, 3), (1, 2)))
    average = nn.AvgPool2d(5, 3, 2, ceil_mode=True, count_include_pad=False)
    yield "average, not the padding", _head(conv, average)
    yield "average, ceil mode", _head(conv, nn.AvgPool2d(5, 4, 1, ceil_mode=True))
    average = nn.AvgPool2d((5, 4), 3, 2, count_include_pad=False, divisor_override=3)
    yield "divisor", _head(conv, average)
    yield "global average", _head(conv, nn.ReLU(), nn.AdaptiveAvgPool2d(1))
    yield "adaptive average", _head(conv, nn.AdaptiveAvgPool2d((5, None)))
    for act in (nn.LeakyReLU(0.3), nn.GELU(), nn.GELU("tanh"), nn.SiLU(), nn.Sigmoid(), nn.Tanh()):
        yield str(act), _head(conv, nn.BatchNorm2d(6), act, nn.MaxPool2d(4))
    yield "plain norm", _head(conv, nn.BatchNorm2d(6, affine=False, eps=0.1), nn.AvgPool2d(4))
    flat = [nn.Linear(784, 30, bias=False), nn.BatchNorm1d(30), nn.ReLU(), nn.Dropout(0.9)]
    yield "flat norm", nn.Sequential(nn.Flatten(), *flat, nn.Linear(30, 10))
    relu = nn.ReLU(inplace=True)
    block = nn.Sequential(nn.Conv2d(1, 4, 5), relu, nn.Identity(), nn.Dropout2d(0.5))
    inner = nn.Sequential(block, nn.Sequential(nn.Conv2d(4, 8, 3), relu), nn.MaxPool2d(2))
    yield "nested", nn.Sequential(inner, nn.Flatten(), nn.Linear(8 * 11 * 11, 10), nn.Softmax(1))
    yield "log softmax", nn.Sequential(*_head(conv, nn.MaxPool2d(4)), nn.LogSoftmax(dim=-1))
    yield "no Linear", nn.Sequential(nn.Conv2d(1, 10, 28), nn.Flatten())


def network_cases():
    """What torch says of a random image, layer by layer, and autograd of its Grad-CAM."""
    for seed, (name, model) in enumerate(networks()):
        shake(model, seed)
        image = torch.rand(1, 1, 28, 28, generator=torch.Generator().manual_seed(seed))
        image = (image - 0.5).clamp(min=0) * 2
        description, weights = network_description(model)
        outputs = by_torch(model, image)
        layers = [layer["name"] for layer in description["layers"]]
        logits = outputs[layers[-1]]
        convolutions = [n for n, m in leaves(model) if isinstance(m, nn.Conv2d)]
        later = layers[layers.index(convolutions[-1]) :] if convolutions else []
        cams = []
        for layer in later:
            if outputs[layer].ndim == 4:
                for digit in (int(logits.argmax()), (seed + 3) % 10):
                    cam = grad_cam_by_hooks(model, image, layer, digit)
                    large = F.interpolate(cam[None, None], (28, 28), mode="bilinear").flatten()
                    size = {"height": cam.shape[0], "width": cam.shape[1]}
                    maps = {"map": in_text(cam), "large": in_text(large)}
                    cams.append({"layer": layer, "digit": digit, **size, **maps})
        yield {
            "name": name,
            "description": description,
            "weights": base64.b64encode(weights).decode(),
            "image": in_text(image),
            "outputs": [in_text(outputs[layer]) for layer in layers],
            "probabilities": logits.softmax(1).flatten().tolist(),
            "cams": cams,
        }


def leaves(model, prefix=""):
    """(name, layer) in the order in which they run; a layer used twice comes twice."""
    for name, layer in model._modules.items():
        if isinstance(layer, nn.Sequential):
            yield from leaves(layer, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", layer


def by_torch(model, image):
    """The output of every layer of an nn.Sequential by its name."""
    outputs = {}
    with torch.no_grad():
        for name, layer in leaves(model):
            image = outputs[name] = layer(image.clone())
    return outputs


def grad_cam_by_hooks(model, image, layer, digit):
    """Grad-CAM as it is usually written: the whole network, with autograd."""
    x = image.clone().requires_grad_()
    for name, module in leaves(model):
        if isinstance(module, (nn.Softmax, nn.LogSoftmax)):
            break
        x = module(x.clone())
        if name == layer:
            maps = x
    (gradient,) = torch.autograd.grad(x[0, digit], maps)
    cam = F.relu((gradient.mean(dim=(2, 3), keepdim=True) * maps).sum(dim=1))[0].detach()
    return cam / cam.max() if cam.max() > 0 else cam


def line(size, start, end, width):
    """A line with round ends (size, size): ink by the distance to it."""
    y, x = torch.meshgrid(torch.arange(size) + 0.5, torch.arange(size) + 0.5, indexing="ij")
    place = torch.stack([x, y], -1).double()
    start, end = torch.tensor(start).double(), torch.tensor(end).double()
    along = end - start
    length = max((along @ along).item(), 1e-30)
    share = (((place - start) @ along) / length).clamp(0, 1)
    distance = (place - start - share[..., None] * along).norm(dim=-1)
    return (width / 2 + 0.5 - distance).clamp(0, 1)


def drawings():
    """(name, ink): random strokes, tiny dots, long lines, symmetric boxes, faint ink, nothing."""
    choose, generator = random.Random(1), torch.Generator().manual_seed(1)
    for number in range(18):
        size = choose.choice([280, 280, 140, 97])
        ink = torch.zeros(size, size).double()
        at = [choose.uniform(0, size), choose.uniform(0, size)]
        for _ in range(choose.randint(1, 6)):
            to = [choose.uniform(-20, size + 20), choose.uniform(-20, size + 20)]
            ink = torch.maximum(ink, line(size, at, to, choose.uniform(3, 40)))
            at = to
        yield f"strokes {number}", ink
    for name, box in {
        "one cell": (7, 9, 1, 1),
        "a corner": (279, 279, 1, 1),
        "a tiny dot": (100, 30, 3, 2),
        "a long row": (50, 0, 1, 280),
        "a long column": (0, 50, 280, 3),
        "a square": (40, 40, 200, 200),
        "halves": (11, 60, 70, 260),
        "all": (0, 0, 280, 280),
    }.items():
        ink = torch.zeros(280, 280)
        top, left, height, width = box
        ink[top : top + height, left : left + width] = 1
        yield name, ink
    ink = torch.zeros(280, 280)
    ink[20:30, 20:250] = ink[20:250, 20:26] = 1
    yield "an angle in a corner", ink
    ink = torch.zeros(280, 280)
    ink[0:270, 8:11] = 0.02
    ink[262:280, 0:120] = 1
    yield "a weight at one end", ink
    for number in range(12):
        shape = [choose.randint(1, 60), choose.randint(1, 60)]
        yield f"noise {number}", torch.rand(shape, generator=generator) * (number % 3 + 1) / 3
    yield "nothing", torch.zeros(30, 20)


def digit_cases():
    pictures = []
    for name, ink in drawings():
        ink = ink.float()
        size = {"name": name, "height": ink.shape[0], "width": ink.shape[1]}
        pictures.append({**size, "ink": in_text(ink), "image": in_text(prepare_digit(ink))})
    choose, lines = random.Random(2), []
    for number in range(30):
        size = choose.choice([40, 61])
        start = [choose.uniform(-5, size + 5), choose.uniform(-5, size + 5)]
        end = start if number % 5 == 0 else [choose.uniform(-5, size + 5) for _ in "xy"]
        width = choose.uniform(1, 30)
        ends = {"from": start, "to": end, "width": width, "size": size}
        ink = in_text(line(size, start, end, width))
        lines.append({"name": f"line {number}", **ends, "ink": ink})
    return {"pictures": pictures, "lines": lines}


def sentence_cases():
    """Probabilities and what Python says of them."""
    shares = [0, 1e-9, 0.004, 0.0051, 0.5, 0.125, 0.984, 0.994, 0.9951, 0.99999, 1]
    percents = [{"share": share, "text": percent(share)} for share in shares]
    generator = torch.Generator().manual_seed(3)
    for number in range(30):
        classes = [chr(65 + i) for i in range(number % 19 + 2)]
        logits = torch.randn(len(classes), generator=generator) * (number + 1) / 2
        if number % 5 == 0:
            logits = logits.round()  # the same twice: the first counts
        shares = logits.softmax(0)
        case = {"probabilities": shares.tolist(), "classes": classes, "percents": percents}
        yield {**case, "said": say(shares, classes)}


def colour_cases():
    """Values and their colours in the figures of the course, for limits −2 and 2."""
    for value in torch.linspace(-2, 2, 41).tolist():
        rgb = [round(255 * part) for part in SIGNED((value + 2) / 4)[:3]]
        yield {"value": value, "rgb": rgb}
