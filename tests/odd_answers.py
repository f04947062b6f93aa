"""Answers of every kind that the running versions of torch, NumPy and Python can make.

What torch and NumPy have is asked of them, so that what a later version adds is tried as well.
"""

import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

DTYPES = sorted({d for d in vars(torch).values() if isinstance(d, torch.dtype)}, key=str)
LAYOUTS = sorted({v for v in vars(torch).values() if isinstance(v, torch.layout)}, key=str)
ONES = torch.ones(2, 2)
NAN_INSIDE = torch.tensor([[1, torch.nan], [0, 1]])


class Hostile:
    """Raises at whatever is asked of it."""

    def _raise(self, *args, **kwargs):
        raise RuntimeError("hostile")

    __eq__ = __repr__ = __str__ = __len__ = __bool__ = __getitem__ = __iter__ = _raise
    __array__ = __float__ = __index__ = __getattr__ = _raise
    __hash__ = None


class HostileFunction(Hostile):
    __call__ = Hostile._raise


class HostileList(list):
    __iter__ = __len__ = __repr__ = Hostile._raise


class Plain(torch.Tensor):
    """A class of one's own that changes nothing."""


class Refusing(torch.Tensor):
    """Allows no function of torch's."""

    @classmethod
    def __torch_function__(cls, *args, **kwargs):
        raise RuntimeError("refused")


class Lying(torch.Tensor):
    """Says nothing of itself."""

    dtype = shape = layout = device = is_meta = is_nested = is_quantized = property(Hostile._raise)


class Hollow(torch.Tensor):
    """Has a shape and a dtype, and answers to no operation."""

    @staticmethod
    def __new__(cls, like):
        return torch.Tensor._make_wrapper_subclass(cls, like.shape, dtype=like.dtype)

    @classmethod
    def __torch_dispatch__(cls, *args, **kwargs):
        raise RuntimeError("hollow")


def name_of(kind):
    return f"{kind}".removeprefix("torch.")


def of_dtype(dtype):
    """Ones of a dtype; where there is no way to write them, whatever lies in memory."""
    try:
        return ONES.to(dtype)
    except Exception:
        return torch.zeros(2, 2, dtype=torch.uint8).view(dtype)


def of_layout(layout, tensor=ONES):
    if layout in (torch.sparse_bsr, torch.sparse_bsc):
        return tensor.to_sparse(layout=layout, blocksize=(1, 1))
    if layout is torch.jagged:
        return torch.nested.nested_tensor([tensor, tensor], layout=layout)
    return tensor.to_mkldnn() if "mkldnn" in f"{layout}" else tensor.to_sparse(layout=layout)


def per_channel(dtype):
    scales, zeros = torch.tensor([0.1, 0.2]), torch.zeros(2)
    return torch.quantize_per_channel(ONES, scales, zeros, 0, dtype)


def in_itself():
    answer = []
    answer.append(answer)
    return answer


def doubled(times):
    """A list whose 2 ** times numbers are a few objects only."""
    answer = [1.0, 1.0]
    for _ in range(times - 1):
        answer = [answer, answer]
    return answer


def escaped(transform):
    """A tensor that a transformation of torch.func made for itself, kept until after its end."""
    kept = []

    def keep(x):
        kept.append(x * 1)
        return kept[0].sum()

    transform(keep)(ONES)
    return kept[0]


def without_memory():
    tensor = torch.ones(2, 2)
    tensor.untyped_storage().resize_(0)
    return tensor


def in_inference():
    with torch.inference_mode():
        return torch.ones(2, 2)


def named():
    return torch.ones(2, 2, names=("rows", "columns"))  # not since torch 2.14


TENSORS = {
    "0-d": lambda: torch.tensor(1.0),
    "of no size": lambda: torch.ones(0, 3),
    "large": lambda: torch.ones(1).expand(10**6, 10**6),  # one number in memory
    "of many dimensions": lambda: torch.ones((1,) * 64),
    "with a gradient": lambda: torch.ones(2, 2, requires_grad=True) * 2,
    "not contiguous": lambda: torch.arange(12.0).view(3, 4).T[::2],
    "repeated": lambda: torch.ones(2, 1).expand(2, 2),
    "nan": lambda: ONES * torch.nan,
    "inf": lambda: ONES * torch.inf,
    "complex nan": lambda: ONES * complex("nan"),
    "conjugate": lambda: ONES.cfloat().conj(),
    "negative by a note": lambda: ONES.cfloat().conj().imag,
    "of float8 with nan": lambda: NAN_INSIDE.to(torch.float8_e4m3fn),
    "nested": lambda: torch.nested.nested_tensor([ONES, ONES]),
    "quantized": lambda: torch.quantize_per_tensor(ONES, 0.1, 0, torch.qint8),
    "quint8": lambda: torch.quantize_per_tensor(ONES, 0.1, 0, torch.quint8),
    "qint32": lambda: torch.quantize_per_tensor(ONES, 0.1, 0, torch.qint32),
    "qint8 by channel": lambda: per_channel(torch.qint8),
    "quint4x2 by channel": lambda: per_channel(torch.quint4x2),
    "meta": lambda: ONES.to("meta"),
    "named": named,
    "of zeros without memory": lambda: torch._efficientzerotensor((2, 2)),
    "without memory": without_memory,
    "in inference": in_inference,
    "uninitialized": nn.UninitializedParameter,
    "uninitialized buffer": nn.UninitializedBuffer,
    "parameter": lambda: nn.Parameter(torch.ones(2, 2)),
    "of a class": lambda: ONES.as_subclass(Plain),
    "refusing": lambda: ONES.as_subclass(Refusing),
    "lying": lambda: ONES.as_subclass(Lying),
    "hollow": lambda: Hollow(ONES),
    "masked": lambda: torch.masked.masked_tensor(ONES, ONES > 0),
    "fake": lambda: FakeTensorMode().from_tensor(ONES),
    "escaped from vmap": lambda: escaped(torch.vmap),
    "escaped from grad": lambda: escaped(torch.func.grad),
    "escaped from functionalize": lambda: escaped(torch.func.functionalize),
    "storage": lambda: ONES.untyped_storage(),
    **{name_of(dtype): lambda dtype=dtype: of_dtype(dtype) for dtype in DTYPES},
    **{f"0-d {name_of(dtype)}": lambda dtype=dtype: of_dtype(dtype)[0, 0] for dtype in DTYPES},
    **{name_of(layout): lambda layout=layout: of_layout(layout) for layout in LAYOUTS},
    **{
        f"{name_of(layout)} with nan": lambda layout=layout: of_layout(layout, NAN_INSIDE)
        for layout in LAYOUTS
    },
}


def made(makers):
    """What can be made here; the names of what cannot."""
    found, missing = {}, []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, make in makers.items():
            try:
                found[name] = make()
            except Exception:
                missing.append(name)
    return found, missing


MADE, MISSING = made(TENSORS)
CODES = np.typecodes["All"].replace("V", "")  # void has no numbers to be made of
ARRAYS = {np.dtype(code).name: np.ones((2, 2)).astype(code) for code in CODES}

ANSWERS = {
    "text": "text",
    "bytes": b"a",
    "number": 3.5,
    "nan": float("nan"),
    "truth": True,
    "complex": 1j,
    "too large": 2**80,
    "far too large": 10**400,
    "fraction": Fraction(1, 3),
    "decimal": Decimal("0.1"),
    "list": [1, 2.5],
    "nothing": [],
    "ragged": [[1], [1, 2]],
    "in itself": in_itself(),
    "without end": doubled(60),
    "None inside": [None, None],
    "dict": {"a": 1},
    "set": {1},
    "range": range(3),
    "object": object(),
    "dtype": torch.float8_e5m2,
    "hostile": Hostile(),
    "hostile function": HostileFunction(),
    "hostile inside": (Hostile(), Hostile()),
    "hostile list": HostileList([1, 2]),
    "tensors in a list": [torch.ones(2), torch.ones(2)],
    "mixed list": [1, ONES.to(torch.float8_e5m2)[0, 0], np.float16(1)],
    "array of objects": np.array([None, 1]),
    "array of records": np.zeros(2, dtype=[("a", "f4"), ("b", "i8")]),
    "array backwards": np.ones((2, 2))[::-1],
    "array of the other byte order": np.ones((2, 2), dtype=">f4"),
    "masked array": np.ma.masked_equal(np.ones((2, 2)), 1),
    "read-only array": np.broadcast_to(1.0, (2, 2)),
    **{f"array {name}": array for name, array in ARRAYS.items()},
    **{f"one {name}": array[0, 0] for name, array in ARRAYS.items()},
    **{f"tensor {name}": tensor for name, tensor in MADE.items()},
}
INSIDE = ["tensor without memory", "tensor bits8", "tensor float8_e4m3fn", "tensor fake"]
ANSWERS |= {
    f"{name}, in a {kind.__name__}": kind([ANSWERS[name], ANSWERS[name]])
    for name in (*INSIDE, "tensor sparse_csr", "array datetime64", "tensor jagged")
    for kind in (list, tuple)
}
ANSWERS |= {
    f"{name}, by letter": dict.fromkeys("ABCDEF", ANSWERS[name])
    for name in (*INSIDE, "hostile", "without end")
}
