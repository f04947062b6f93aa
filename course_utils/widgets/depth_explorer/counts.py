"""What a stack of convolutions costs, in whole numbers; `counts.js` counts the same."""

import functools

import torch

from course_utils import anatomy, models

DEPTHS, WIDTHS, KERNEL_SIZES, INPUT_SIZES = (1, 16), (1, 256), (1, 3, 5, 7), (8, 64)


def count(what, depth, width, kernel_size, input_size):
    """Parameters or MACs by formula, as fast as a search over 4,096 networks needs it."""
    inner = kernel_size**2 * width
    if what == "parameters":
        return inner + width + (depth - 1) * (inner * width + width) + (width + 1) * 10
    macs, size, pools = width * 10, input_size, models.pools_of(depth)
    for i in range(1, depth + 1):
        macs += inner * (width if i > 1 else 1) * size**2
        size //= 2 if i in pools else 1
    return macs


@functools.lru_cache(maxsize=64)
def summarize(input_size, **shape):
    return anatomy.summarize(_on_paper(**shape), (1, 1, input_size, input_size))


@functools.lru_cache(maxsize=64)
def kept_bytes(input_size, **shape):
    kept = []

    def pack(tensor):
        kept.append(tensor)
        return tensor

    # Also inside somebody's torch.no_grad() or inference_mode() this counts as for training.
    with torch.inference_mode(False), torch.enable_grad():
        model = _on_paper(**shape)
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            model(torch.zeros(1, 1, input_size, input_size, device="meta"))
    # Two layers may keep one tensor, or two views of it: the memory behind it counts once.
    memory = {tensor.untyped_storage()._cdata: tensor.untyped_storage() for tensor in kept}
    for parameter in model.parameters():
        memory.pop(parameter.untyped_storage()._cdata, None)
    return sum(storage.nbytes() for storage in memory.values())


def _on_paper(depth, width, kernel_size):
    """The network without the memory for its weights: shapes are all that counting needs."""
    with torch.device("meta"):
        return models.stacked_cnn(depth, width, kernel_size)
