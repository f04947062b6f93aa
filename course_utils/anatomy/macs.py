"""How many multiply-accumulate operations run: torch's own operations are counted as they come.

So it does not matter who calls them: a layer, a function, or a student's own matrix product.
"""

import contextlib
import warnings

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode


def _convolution(out, x, weight, bias, stride, padding, dilation, transposed, *_):
    return (x if transposed else out).numel() * weight[0].numel()  # of each output, or each input


def _product(out, *factors):  # in front of the two stands what is added, if anything
    return out.numel() * factors[-2].shape[-1]


_PRODUCTS = ("mm", "bmm", "mv", "dot", "vdot", "addmm", "baddbmm", "addmv")
_COUNTED = {
    "convolution": _convolution,
    **dict.fromkeys(_PRODUCTS, _product),
    "addbmm": lambda out, *factors: _product(out, *factors) * len(factors[-1]),
}
# What consists of sums of products as well, and is not taken apart into the operations above.
_UNKNOWN = (
    *("rnn_layer", "fused_lstm", "fused_gru", "attention", "transformer", "trilinear"),
    *("cdist", "pdist", "linalg", "fft", "grid_sampler", "sparse", "quantized", "int_mm"),
    *("scaled_mm", "weight_packed", "embedding_bag", "cholesky", "triangular", "upsample_bi"),
)
_KNOWN_SPACES = ("aten", "prim", "prims", "profiler")


class CountMacs(TorchDispatchMode):
    """Counts the operations that run, biases left out: `total`, and `unknown`, the names of others.

    `take()` gives how many there were since it was asked before.
    """

    def __init__(self):
        super().__init__()
        self.total, self.taken, self.unknown = 0, 0, set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        space, name = func._schema.name.split("::")
        if space == "aten" and name in _COUNTED:
            self.total += _COUNTED[name](out, *args)
        elif space not in _KNOWN_SPACES or any(part in name for part in _UNKNOWN):
            self.unknown.add(name)
        return out

    def take(self):
        new, self.taken = self.total - self.taken, self.total
        return new


@contextlib.contextmanager
def taken_apart(model):
    """Attention and recurrent layers run step by step here, so that their products are seen."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with contextlib.ExitStack() as undo:
            undo.enter_context(sdpa_kernel(SDPBackend.MATH))
            if any(isinstance(m, nn.RNNBase) for m in model.modules()):
                undo.enter_context(warnings.catch_warnings())
                warnings.simplefilter("ignore")  # the next line has one about Intel's GPUs
                undo.enter_context(torch.backends.mkldnn.flags(enabled=False))
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
