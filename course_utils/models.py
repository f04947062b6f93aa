"""The networks that more than one lesson uses. Each call makes a new one with random weights."""

from collections import OrderedDict

from torch import nn

from course_utils.ops import arguments


def mnist_cnn():
    """The course's network for images (N, 1, 28, 28); returns logits (N, 10). 44,386 parameters."""
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, 8, kernel_size=5),  # (N, 8, 24, 24)
            pool1=nn.MaxPool2d(2),  # (N, 8, 12, 12)
            norm1=nn.BatchNorm2d(8),
            relu1=nn.ReLU(),
            conv2=nn.Conv2d(8, 32, kernel_size=5),  # (N, 32, 8, 8)
            pool2=nn.MaxPool2d(2),  # (N, 32, 4, 4)
            norm2=nn.BatchNorm2d(32),
            relu2=nn.ReLU(),
            flatten=nn.Flatten(),  # (N, 512)
            fc1=nn.Linear(512, 72),
            relu3=nn.ReLU(),
            fc2=nn.Linear(72, 10),
        )
    )


def lenet():
    """A small network close to LeNet-5, as many tutorials have it. 44,426 parameters.

    Images (N, 1, 28, 28) to logits (N, 10), after LeCun, Bottou, Bengio and Haffner,
    "Gradient-based learning applied to document recognition", 1998. Pooling before ReLU gives the
    same numbers as after it, and leaves ReLU a quarter of the cells.
    """
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, 6, kernel_size=5),  # (N, 6, 24, 24)
            pool1=nn.MaxPool2d(2),  # (N, 6, 12, 12)
            relu1=nn.ReLU(),
            conv2=nn.Conv2d(6, 16, kernel_size=5),  # (N, 16, 8, 8)
            pool2=nn.MaxPool2d(2),  # (N, 16, 4, 4)
            relu2=nn.ReLU(),
            flatten=nn.Flatten(),  # (N, 256)
            fc1=nn.Linear(256, 120),
            relu3=nn.ReLU(),
            fc2=nn.Linear(120, 84),
            relu4=nn.ReLU(),
            fc3=nn.Linear(84, 10),
        )
    )


def mlp(sizes=(784, 256, 128, 64, 10)):
    """A network of fully connected layers, by default 784-256-128-64-10 with 242,762 parameters.

    `sizes` are the inputs, the hidden features of each layer and the logits, at least two numbers.
    Images (N, 1, 28, 28), or anything with sizes[0] numbers each, to logits (N, sizes[-1]), through
    layers flatten, fc1, relu1, …; no ReLU follows the last. Raises ValueError for other sizes.
    """
    sizes = tuple(sizes)
    if len(sizes) < 2:
        raise ValueError(f"sizes={sizes} has too few numbers: give inputs and outputs at least")
    for i, features in enumerate(sizes):
        arguments.whole_number(f"sizes[{i}]", features, at_least=1)
    layers = OrderedDict(flatten=nn.Flatten())
    for i in range(1, len(sizes)):
        layers[f"fc{i}"] = nn.Linear(sizes[i - 1], sizes[i])
        layers[f"relu{i}"] = nn.ReLU()
    layers.popitem()
    return nn.Sequential(layers)


def stacked_cnn(
    depth,
    width,
    kernel_size=3,
    in_channels=1,
    classes=10,
    pool_after=None,
    residual=False,
    normalize=False,
):
    """A family of networks that differ in depth, width and kernel size, and in nothing else.

    `depth` convolutions of `width` channels, each followed by ReLU; then the average over all
    positions and one linear layer. The convolutions keep the size (zero padding kernel_size // 2).
    A max pool of 2 × 2 follows the first third of them and the first two thirds, rounded up: for
    `depth=4` convolutions 2 and 3, for `depth=16` convolutions 6 and 11, for `depth=1` one pool.

    Args:
        depth, width: at least 1.
        kernel_size: odd, so that the padding can keep the size.
        in_channels, classes: what goes in, (N, in_channels, H, W), and comes out, logits
            (N, classes). H and W must survive the pools: 4 is enough where there are two.
        pool_after: the numbers of the convolutions, from 1, that a pool follows, where the rule
            above is not wanted; `()` is no pool at all.
        residual: add its own input to what each convolution but the first gives after ReLU.
        normalize: put a batch norm between each convolution and its ReLU.
    Returns: an nn.Sequential with layers conv1, relu1, …, pool2 (the pool after conv2), average,
        flatten, fc. With `residual`, layers conv2, relu2 are found as block2.conv2, block2.relu2.
    Raises: ValueError, naming the argument, its value and what is possible.
    """
    sizes = {"depth": depth, "width": width, "kernel_size": kernel_size}
    sizes |= {"in_channels": in_channels, "classes": classes}
    for name, value in sizes.items():
        arguments.whole_number(name, value, at_least=1)
    if kernel_size % 2 == 0:
        raise ValueError(
            f"kernel_size={kernel_size} is even: padding can keep the size only for 1, 3, 5, …"
        )
    pools = pools_of(depth) if pool_after is None else tuple(pool_after)
    if strange := [number for number in pools if number not in range(1, depth + 1)]:
        raise ValueError(
            f"pool_after={pools} names {strange[0]}, which is no convolution of this network: "
            f"they are numbered from 1 to depth={depth}"
        )
    layers, channels = OrderedDict(), in_channels
    for i in range(1, depth + 1):
        block = OrderedDict()
        block[f"conv{i}"] = nn.Conv2d(channels, width, kernel_size, padding=kernel_size // 2)
        if normalize:
            block[f"norm{i}"] = nn.BatchNorm2d(width)
        block[f"relu{i}"] = nn.ReLU()
        if residual and i > 1:
            block = {f"block{i}": _Residual(block)}
        layers.update(block)
        if i in pools:
            layers[f"pool{i}"] = nn.MaxPool2d(2)
        channels = width
    layers |= {"average": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten()}
    return nn.Sequential(OrderedDict(layers, fc=nn.Linear(width, classes)))


def he_initialize(model):
    """Draw the weights of all convolutions anew with variance 2 / fan-in, set their biases to 0.

    So a ReLU network neither shrinks nor grows what passes through it: He, Zhang, Ren and Sun,
    "Delving deep into rectifiers", 2015. PyTorch's default has variance 1 / (3 · fan-in). In the
    residual blocks of `stacked_cnn` the weights are divided by the number of blocks, so that their
    sum does not grow with depth, in the spirit of Zhang, Dauphin and Ma, "Fixup initialization",
    2019. Returns: the same model.
    """
    blocks = [module for module in model.modules() if isinstance(module, _Residual)]
    in_blocks = {layer for block in blocks for layer in block}
    for layer in model.modules():
        if isinstance(layer, (nn.Conv1d, nn.Conv2d, nn.Conv3d)):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
            if layer in in_blocks:
                layer.weight.data /= len(blocks)
    return model


def pools_of(depth):
    """The convolutions that a pool follows in `stacked_cnn(depth, …)`, counted from 1."""
    return tuple(sorted({-(-depth // 3), -(-2 * depth // 3)}))


class _Residual(nn.Sequential):
    """Layers in a row that change no shape, and a connection past them: x + f(x)."""

    def forward(self, x):
        return x + super().forward(x)
