"""An answer's numbers, in the one form that checks compare and show.

Torch has more dtypes, layouts and classes of tensors than operations for them, and which it has
differs between versions. So nothing is asked of an answer but what all can do: to be copied.
"""

import numbers as kinds
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.parameter import is_lazy

MOST = 10**5  # as many numbers are compared: no answer of an exercise comes near


@dataclass(frozen=True)
class Numbers:
    """What `read` makes of an answer.

    `cells` is an ordinary tensor on the CPU, float64 or complex128. `dtype` is what the answer had
    itself, and `holder` where they came from: a tensor, an array, or None for Python's own numbers.
    """

    cells: torch.Tensor
    dtype: torch.dtype
    holder: type | None

    @property
    def shape(self):
        return tuple(self.cells.shape)

    @property
    def whole(self):
        return not self.dtype.is_floating_point and not self.dtype.is_complex


def read(value):
    """The `Numbers` of a number, tensor, array or list of them.

    Raises: TypeError, with a sentence, for what cannot be compared.
    """
    if type(value) is Numbers:
        return value
    try:
        cells, dtype, holder = _read(value)
        return Numbers(torch.from_numpy(cells), dtype, holder)
    except _Sentence as sentence:
        raise TypeError(f"{sentence}") from None
    except Exception:  # whatever an object of a student's class does, it is not a number
        raise TypeError(f"Numbers are expected; this is {kind_of(value)}") from None


def read_once(value):
    """What is compared often, read where that can be done; all else as it is."""
    try:
        return value if isinstance(value, tuple | str) else read(value)
    except Exception:
        return value


def parts(value):
    """The parts of a list or tuple; None for all else."""
    try:
        return tuple(value) if isinstance(value, list | tuple) else None
    except Exception:  # of a class of one's own
        return None


def kind_of(value):
    """A value's kind in words: "a list", "an int"."""
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}"


class _Sentence(Exception):
    """Says what is wrong with a value."""


def _read(value):
    """Cells as an array, float64 or complex128; the value's own dtype; its holder."""
    if isinstance(value, torch.Tensor):
        return _of_tensor(value)
    if isinstance(value, np.ndarray | np.generic):
        return _of_array(np.ma.asanyarray(value) if np.ma.is_masked(value) else np.asarray(value))
    if isinstance(value, list | tuple):
        return _of_list(value)
    if not isinstance(value, kinds.Number):
        raise TypeError
    if isinstance(value, complex):
        return np.array(complex(value)), torch.complex128, None
    whole = torch.bool if isinstance(value, bool) else torch.int64
    return np.array(float(value)), whole if isinstance(value, int) else torch.float64, None


def _of_tensor(value):
    if is_lazy(value):
        raise _Sentence(_EMPTY)
    with torch._C.DisableTorchFunctionSubclass():  # a class of one's own is not asked
        if form := _special(value):
            raise _Sentence(f"An ordinary tensor is expected; this one is {form}")
        try:
            tensor = torch.Tensor.as_subclass(value, torch.Tensor).detach()
            if type(tensor) is not torch.Tensor:
                raise TypeError
            _limit(tensor.numel(), tuple(tensor.shape))
            if tensor.is_meta or _reach(tensor) > tensor.untyped_storage().nbytes():
                raise _Sentence(_EMPTY)
            return _wide(tensor.cpu()).resolve_conj().numpy(), tensor.dtype, torch.Tensor
        except _Sentence:
            raise
        except Exception:  # of a class that computes otherwise, or left over from a transformation
            kind = type(value).__name__
            raise _Sentence(f"The numbers in this {kind} cannot be read") from None


_EMPTY = "This tensor has a shape, but holds no numbers"


def _special(value):
    """How a tensor stores its numbers, and the way out; None for an ordinary one."""
    layout = torch.Tensor.layout.__get__(value)
    if layout is torch.jagged or torch.Tensor.is_nested.__get__(value):
        return "nested: `.unbind()` gives its parts"
    if torch.Tensor.is_quantized.__get__(value):
        return "quantized: `.dequantize()` makes it one"
    if layout is torch.strided:
        return None
    kind = "sparse" if "sparse" in f"{layout}" else "packed"
    return f"{kind} ({layout}): `.to_dense()` makes it one"


def _reach(tensor):
    """The bytes that a tensor's memory must have. Torch doesn't look, and would crash."""
    if not tensor.numel():
        return 0
    steps = ((n - 1) * step for n, step in zip(tensor.shape, tensor.stride(), strict=True))
    return (tensor.storage_offset() + sum(steps) + 1) * tensor.element_size()


def _wide(tensor):
    try:
        return tensor.to(torch.complex128 if tensor.is_complex() else torch.float64).resolve_neg()
    except Exception:
        raise _Sentence(
            f"Numbers of dtype {tensor.dtype} cannot be compared: those of torch.float32 can"
        ) from None


def _of_array(array):
    _limit(array.size, array.shape)
    if np.ma.is_masked(array):
        raise _Sentence("An array of numbers is expected; some of this one are masked")
    if array.dtype.kind not in "biufc":
        raise _Sentence(f"An array of numbers is expected; the dtype is {array.dtype.name}")
    wide = np.complex128 if array.dtype.kind == "c" else np.float64
    cells = np.array(array, dtype=wide, order="C")
    dtype = getattr(torch, array.dtype.name, torch.from_numpy(cells).dtype)  # longdouble has none
    return cells, dtype, np.ndarray


def _of_list(value):
    found, last = [], None
    for part in value:
        again = found and part is last  # a list of lists of lists … can have no end otherwise
        found.append(found[-1] if again else _read(part))
        last = part
        _limit(len(value) * found[0][0].size)
        if found[-1][0].shape != found[0][0].shape:
            raise _Sentence("The parts of this list are not of one size")
    if not found:
        return np.zeros(0), torch.float64, None
    own = {dtype for _, dtype, _ in found}
    cells = np.stack([cells for cells, _, _ in found])
    if cells.dtype == np.complex128 or any(dtype.is_floating_point for dtype in own):
        return cells, torch.from_numpy(cells).dtype, None
    return cells, torch.bool if own == {torch.bool} else torch.int64, None


def _limit(count, shape=None):
    if count > MOST:
        form = f" in the shape {shape}" if shape else ""
        raise _Sentence(f"These are {count:,} numbers{form}; at most {MOST:,} are compared")
