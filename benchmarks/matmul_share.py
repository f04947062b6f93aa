"""How much of the processor training uses: its rate beside that of a large matrix product.

    python benchmarks/matmul_share.py           # about a minute

`training.fit` trains the course's network, and wider ones of the same layers, on random images (the
numbers do not change the time). In turns with them two large float32 matrices are multiplied, with
as many threads as `fit` takes. The operations of a step are those that PyTorch's own counter sees
in its forward and backward pass, a product and an addition being two: convolutions, linear layers
and their gradients. Nothing else counts as work, so the share says how far training is from a
processor that does nothing but multiply.

Where the time of a step goes is noted by hooks while `fit` runs: when each layer's output is there,
when its gradient is there, when the optimizer begins and ends.
A section of benchmarks/RESULTS.md is written.
"""

import contextlib
import inspect
import itertools
import statistics
import time
from collections import OrderedDict

import torch
import torch.nn.functional as F
from results import keep, load, machine, options, spread, table, write_section
from torch import nn
from torch.optim import optimizer as optimizers
from torch.utils.flop_counter import FlopCounterMode

from course_utils import models, training

BATCH = inspect.signature(training.fit).parameters["batch_size"].default
WIDTHS = {  # the channels of the two convolutions, and how many steps one measurement has
    "the course's, 8 and 32 channels": (None, 200),
    "32 and 64 channels": ((32, 64), 40),
    "64 and 128 channels": ((64, 128), 15),
}
ROUNDS, SIDE = 7, 2048  # SIDE: of the square matrices
STAMPED_STEPS = 400
COURSE = next(iter(WIDTHS))
BETWEEN = "batch, schedule, record"  # what `fit` does between two steps


def network(widths):
    """The course's network, or the same layers with other numbers of channels."""
    if widths is None:
        return models.mnist_cnn()
    first, second = widths
    layers = OrderedDict(models.mnist_cnn().named_children())
    layers |= {"conv1": nn.Conv2d(1, first, 5), "norm1": nn.BatchNorm2d(first)}
    layers |= {"conv2": nn.Conv2d(first, second, 5), "norm2": nn.BatchNorm2d(second)}
    layers["fc1"] = nn.Linear(16 * second, 72)
    return nn.Sequential(layers)


def images(steps):
    """Random images and labels for so many steps."""
    return torch.rand(BATCH * steps, 1, 28, 28), torch.randint(10, (BATCH * steps,))


def step_seconds(model, pair):
    """Seconds of one step of `fit`: the mean over one epoch."""
    history = training.fit(model, pair, device="cpu", progress=False)
    return history.seconds / len(history.step_loss)


def threads_of_fit(model):
    """How many threads `fit` takes for a model."""
    seen = []
    hook = model.register_forward_hook(lambda *_: seen.append(torch.get_num_threads()))
    training.fit(model, images(2), device="cpu", progress=False)
    hook.remove()
    return seen[-1]


def operations(model):
    """Floating-point operations of one step, as PyTorch counts them, forward and backward."""
    x, y = images(1)
    with FlopCounterMode(display=False) as counter:
        F.cross_entropy(model(x), y).backward()
    return counter.get_total_flops()


def operations_by_layer(model):
    """{layer: (forward, backward)} operations of one step, for the layers that have any.

    The backward pass has one product of that size for the weights and one for the layer's input,
    which the first layer does not need. Their sum must be what PyTorch counts.
    """
    x, counts = images(1)[0], {}
    for name, layer in model.named_children():
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            x = layer(x)
        forward = counter.get_total_flops()
        if forward:
            counts[name] = (forward, forward * (2 if counts else 1))
    counted = operations(model)
    if (total := sum(map(sum, counts.values()))) != counted:
        raise RuntimeError(f"{total:,} operations by layer, but PyTorch counts {counted:,}")
    return counts


def matmul_rate(a, b):
    """Operations a second of one product of two square matrices."""
    began = time.perf_counter()
    torch.mm(a, b)
    return 2 * len(a) ** 3 / (time.perf_counter() - began)


def measure(widths, rounds, side):
    """Figures of each network, and of the matrix product that took turns with it."""
    figures = {}
    for name, (channels, steps) in widths.items():
        model, pair = network(channels), images(steps)
        figures[name] = {
            "threads": threads_of_fit(model),
            "parameters": sum(p.numel() for p in model.parameters()),
            "operations": operations(model),
            "step": [],
            "matmul": [],
            "model": (model, pair),
        }
    a, b, usual = torch.randn(side, side), torch.randn(side, side), torch.get_num_threads()
    for number in range(-1, rounds):  # the first warms up
        for name, one in figures.items():
            seconds = step_seconds(*one["model"])
            torch.set_num_threads(one["threads"])
            rate = matmul_rate(a, b)
            torch.set_num_threads(usual)
            if number >= 0:
                one["step"].append(seconds)
                one["matmul"].append(rate)
                print(f"{number + 1}/{rounds} {name}: {1000 * seconds:.2f} ms a step", flush=True)
    for one in figures.values():
        del one["model"]
        one["shares"] = [
            one["operations"] / step / rate
            for step, rate in zip(one["step"], one["matmul"], strict=True)
        ]
    return figures


@contextlib.contextmanager
def stamps(model):
    """A list that fills with (what has just ended, when) while `fit` trains the model."""
    events = []

    def stamp(what):
        events.append((what, time.perf_counter()))

    def after_layer(name, after):
        def hook(layer, inputs, output):
            if output.requires_grad:
                stamp((name, "forward"))
                # This gradient is there when the backward pass of the next layer has ended.
                output.register_hook(lambda grad: stamp(after))

        return hook

    layers = list(model.named_children())
    following = [(name, "backward") for name, _ in layers[1:]] + [("loss", "")]
    hooks = [
        model.register_forward_pre_hook(lambda *_: stamp((BETWEEN, ""))),
        optimizers.register_optimizer_step_pre_hook(lambda *_: stamp((layers[0][0], "backward"))),
        optimizers.register_optimizer_step_post_hook(lambda *_: stamp(("optimizer", ""))),
    ]
    for (name, layer), after in zip(layers, following, strict=True):
        hooks.append(layer.register_forward_hook(after_layer(name, after)))
    try:
        yield events
    finally:
        for hook in hooks:
            hook.remove()


def pieces(model, steps):
    """{(layer, "forward" or "backward"): median seconds in one step of `fit`}."""
    with stamps(model) as events:
        training.fit(model, images(steps), device="cpu", progress=False)
    seconds = {}
    for (_, before), (what, now) in itertools.pairwise(events):
        seconds.setdefault(what, []).append(now - before)
    # What `fit` tries out before the loop has no such length; a median does not see it.
    return {what: statistics.median(all_of) for what, all_of in seconds.items()}


def by_layer(seconds, counts):
    """Rows of (piece, forward s, backward s, operations); layers without work are put together."""
    kinds = {"pool": "pooling", "norm": "batch norm", "relu": "ReLU", "flatten": "ReLU"}
    rows = {}
    for (name, direction), value in seconds.items():
        kind = next((k for start, k in kinds.items() if name.startswith(start)), name)
        row = rows.setdefault(kind, {"forward": 0.0, "backward": 0.0, "operations": 0})
        row[direction or "forward"] += value
        row["operations"] = sum(counts.get(name, (0,)))
    return rows


def layer_table(rows, rate):
    """Where the time of a step goes, the longest first, and each layer's own share of the rate."""
    total = sum(row["forward"] + row["backward"] for row in rows.values())
    lines = []
    for name, row in sorted(rows.items(), key=lambda i: -i[1]["forward"] - i[1]["backward"]):
        seconds = row["forward"] + row["backward"]
        share = f"{row['operations'] / seconds / rate:.0%}" if row["operations"] else ""
        split = [f"{1000 * row[d]:.2f}" if row[d] else "" for d in ("forward", "backward")]
        lines.append([name, *split, f"{seconds / total:.0%}", share])
    header = ["", "forward or once, ms", "backward, ms", "of the step", "share of the rate"]
    return table(header, lines)


def report(networks, rows, load_at_start, side):
    """The section of RESULTS.md."""
    lines = []
    for name, one in networks.items():
        lines.append(
            [
                name,
                f"{one['parameters']:,}",
                f"{one['operations'] / 1e9:.2f}",
                spread([1000 * s for s in one["step"]], 2),
                spread([r / 1e9 for r in one["matmul"]], 0),
                spread([100 * s for s in one["shares"]], 0),
            ]
        )
    header = ["network", "parameters", "GFLOP a step", "ms a step", "matmul, GFLOP/s", "share, %"]
    course = networks[COURSE]
    rate = statistics.median(course["matmul"])
    total = sum(row["forward"] + row["backward"] for row in rows.values())
    work = sum(row["forward"] + row["backward"] for row in rows.values() if row["operations"])
    ideal = course["operations"] / rate  # seconds of the products, if nothing held them up
    most = ideal / (ideal + total - work)
    threads = ", ".join(str(one["threads"]) for one in networks.values())
    return f"""
## The share of the processor that training reaches

`python benchmarks/matmul_share.py`; {machine("torch")}
Load of the machine at the start: {load_at_start}.
Medians (least–most) of {len(course["step"])} rounds.

{table(header, lines)}

The rate is that of one product of two float32 matrices of {side} × {side}, in turns with the
network and on as many threads as `fit` takes for it ({threads}). The share is the rate of a whole
step of `training.fit`, batches of {BATCH}, against that. Counted: the products and additions of
convolutions, linear layers and their gradients, by `torch.utils.flop_counter`.

Where the course's network spends a step ({1000 * total:.2f} ms while it is watched):

{layer_table(rows, rate)}

{1 - work / total:.0%} of the step has no product in it. At the full rate the products alone would
take {1000 * ideal:.2f} ms; with them and all the rest as it is, the share could be
{most:.0%} at most. The first convolution has one channel, so a number that it reads meets few
others before the next one is needed. Wider layers do more with each number that they read: their
share shows how far the size of the network bounds it.
"""


def main():
    parser = options(__doc__.splitlines()[0], "two rounds, smaller matrices, the course's network")
    arguments = parser.parse_args()
    load_at_start = load()
    torch.manual_seed(0)
    quick = arguments.quick
    widths = {COURSE: (None, 10)} if quick else WIDTHS
    side = 512 if quick else SIDE
    networks = measure(widths, 2 if quick else ROUNDS, side)
    model = network(None)
    rows = by_layer(pieces(model, 20 if quick else STAMPED_STEPS), operations_by_layer(model))
    text = report(networks, rows, load_at_start, side)
    write_section("matmul_share", text, arguments.output)
    keep("matmul_share", {"networks": networks, "pieces": rows, "side": side}, arguments.output)
    print(text)


if __name__ == "__main__":
    main()
