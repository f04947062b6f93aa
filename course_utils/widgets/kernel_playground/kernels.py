"""What KernelPlayground is made of: well-known kernels, and the kinds of state it has."""

import functools
import math
import reprlib
import struct

import torch
import torch.nn.functional as F
import traitlets
from torch import nn

from course_utils._arrays import real_tensor
from course_utils.widgets.shared.traits import Grid

SIZES = (3, 5, 7)
LARGEST = 512  # rows and columns of a picture
STRONGEST = 1000  # the largest number in a kernel, either way
BRIGHTEST = 1e6  # the largest in a picture; more would leave the answers too few exact digits
MOST_FILTERS = 512
LUMA = torch.tensor([0.299, 0.587, 0.114])  # red, green, blue (ITU-R BT.601), as in data.load_photo


def _binomial(count):
    """`count` numbers of Pascal's triangle, the usual stand-in for a Gaussian: 1 2 1, 1 4 6 4 1."""
    return torch.tensor([math.comb(count - 1, k) for k in range(count)], dtype=torch.float64)


def _gaussian(size):
    row = _binomial(size) / 2 ** (size - 1)
    return torch.outer(row, row)


def _identity(size):
    kernel = torch.zeros(size, size, dtype=torch.float64)
    kernel[size // 2, size // 2] = 1
    return kernel


def _chain(one, other):
    """The kernel that answers as two kernels do that are applied one after the other."""
    other = other.flip(0, 1)[None, None]
    return F.conv2d(one[None, None], other, padding=other.shape[-1] - 1)[0, 0]


def _sharpen(size):
    if size == 3:
        return torch.tensor([[0.0, -1, 0], [-1, 5, -1], [0, -1, 0]], dtype=torch.float64)
    return 2 * _identity(size) - _gaussian(size)


def _laplacian(size):
    kernel = torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]], dtype=torch.float64)
    return kernel if size == 3 else _chain(_gaussian(size - 2), kernel)


def _strength_4(kernel):
    """The kernel times what makes its positive numbers add up to 4, as they do in 3 × 3."""
    return kernel * (4 / kernel.clamp(min=0).sum())


def _sobel(size):
    smooth = _binomial(size - 2)
    slope = F.pad(smooth, (2, 0)) - F.pad(smooth, (0, 2))
    return _strength_4(torch.outer(_binomial(size), slope))


def _emboss(size):
    steps = torch.arange(size, dtype=torch.float64) - size // 2
    return _strength_4(steps[:, None] + steps) + _identity(size)


_PRESETS = {
    "vertical edges (Sobel)": _sobel,
    "horizontal edges (Sobel)": lambda size: _sobel(size).T,
    "all edges (Laplacian)": _laplacian,
    "sharpen": _sharpen,
    "emboss": _emboss,
    "box blur": lambda size: torch.full((size, size), 1 / size**2, dtype=torch.float64),
    "Gaussian blur": _gaussian,
    "identity": _identity,
}
PRESETS = tuple(_PRESETS)


@functools.cache
def _make(name, size):
    return _PRESETS[name](size)


def preset(name, size=3):
    """A well-known kernel, (size, size), float64.

    name: one of `PRESETS`. size: 3, 5 or 7. In 3 × 3 they are what textbooks print. The larger
    ones look at a wider neighbourhood and answer as strongly: blurs over the whole window; Sobel
    and emboss with a longer slope, its positive numbers adding up to 4 as in 3 × 3; the Laplacian
    of a picture that a Gaussian has blurred; sharpening as the picture plus what a Gaussian
    takes away from it.

    Raises ValueError for another name or size.
    """
    if name not in _PRESETS:
        raise ValueError(f"kernel={name!r} is unknown: choose one of {', '.join(PRESETS)}")
    if size not in SIZES:
        raise ValueError(f"size={size!r} is not possible: a kernel here has 3, 5 or 7 rows")
    return _make(name, size).clone()


class Picture(traitlets.TraitType):
    """A grey picture (H, W), float32, sent as bytes: H and W as uint32, then the numbers."""

    def __init__(self):
        super().__init__()
        self.tag(sync=True, to_json=_to_bytes, from_json=_from_bytes)

    def validate(self, obj, value):
        try:
            picture = real_tensor(self.name, value, "a tensor or an array of shape (H, W)")
        except ValueError as error:
            raise traitlets.TraitError(str(error)) from None
        picture = picture.to(torch.float32)
        shape = tuple(picture.shape)
        while picture.ndim > 2 and picture.shape[0] == 1:
            picture = picture[0]
        colour = picture.ndim == 3 and picture.shape[0] == 3
        if not (colour or picture.ndim == 2) or not all(
            1 <= size <= LARGEST for size in picture.shape[-2:]
        ):
            hint = (
                "; (H, W, 3) becomes (3, H, W) by .permute(2, 0, 1)" if shape[-1:] == (3,) else ""
            )
            raise traitlets.TraitError(
                f"{self.name} of shape {shape} is not possible: give (H, W) for grey or (3, H, W) "
                f"for colour, with 1 to {LARGEST} rows and columns{hint}"
            )
        if not (picture.abs() <= BRIGHTEST).all():
            raise traitlets.TraitError(
                f"{self.name} holds a number that is not possible: give real numbers from "
                f"−{BRIGHTEST:,.0f} to {BRIGHTEST:,.0f}, no NaN or infinity"
            )
        # Not tied to the tensor that was given: the browser hears of nothing that is written there.
        return torch.einsum("chw,c->hw", picture, LUMA) if colour else picture.clone()


def _to_bytes(picture, widget):
    return struct.pack("<2I", *picture.shape) + picture.contiguous().numpy().tobytes()


def _from_bytes(content, widget):
    content = bytearray(content)
    height, width = struct.unpack_from("<2I", content) if len(content) > 8 else (0, 0)
    if len(content) != 8 + 4 * height * width or not height * width:
        raise traitlets.TraitError(f"a picture of {len(content)} bytes is damaged: send it again")
    return torch.frombuffer(content, dtype=torch.float32, offset=8).reshape(height, width)


class Kernel(Grid):
    """A kernel of 3, 5 or 7 rows and columns; a preset's name stands for its 3 × 3."""

    def validate(self, obj, value):
        if isinstance(value, str):
            try:
                value = preset(value)
            except ValueError as error:
                raise traitlets.TraitError(str(error)) from None
        kernel = super().validate(obj, value)
        _check_kernels(self.name, kernel, kernel.ndim == 2)
        return kernel

    def _fits(self, grid):
        return True  # the sentence above says more of what fits here


class Filters(traitlets.TraitType):
    """Kernels for a grey picture, (N, K, K), made from a layer or its weight; None for none."""

    def __init__(self):
        super().__init__(None, allow_none=True)
        self.tag(sync=True, to_json=lambda filters, _: [] if filters is None else filters.tolist())

    def validate(self, obj, value):
        if value is None:
            return None
        weight = value.weight if isinstance(value, nn.Conv2d) else value
        if not isinstance(weight, torch.Tensor) or weight.ndim not in (3, 4):
            raise traitlets.TraitError(
                f"{self.name}={reprlib.repr(value)} is not possible: give an nn.Conv2d or its "
                "weight (C_out, C_in, K, K), or kernels (N, K, K)"
            )
        if isinstance(value, nn.Conv2d) and value.dilation != (1, 1):
            raise traitlets.TraitError(
                f"{self.name} with dilation={value.dilation} is not possible: a kernel has no gaps "
                "here, so give a layer with dilation=1"
            )
        filters = weight.detach().cpu().to(torch.float32)
        filters = filters.sum(dim=1) if filters.ndim == 4 else filters
        _check_kernels(self.name, filters, 1 <= len(filters) <= MOST_FILTERS)
        return filters


def _check_kernels(name, kernels, is_possible):
    if not is_possible or tuple(kernels.shape[-2:]) not in [(size, size) for size in SIZES]:
        many = f", 1 to {MOST_FILTERS} of them" if name == "filters" else ""
        raise traitlets.TraitError(
            f"{name} of shape {tuple(kernels.shape)} is not possible: give 3 × 3, 5 × 5 or 7 × 7 "
            f"numbers{many}"
        )
    if not (kernels.abs() <= STRONGEST).all():
        raise traitlets.TraitError(
            f"{name} holds a number that is not possible: give numbers from −{STRONGEST} to "
            f"{STRONGEST}"
        )
