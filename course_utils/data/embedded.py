"""Pictures for a machine without a network, made from what scikit-learn brings along.

The digits are redrawn from its 1,797 scans of 8×8 pixels to look like MNIST. Source: E. Alpaydin
and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998,
https://doi.org/10.24432/C50P49, CC BY 4.0. The photographs' sources stand at `load_photo`.
"""

import functools
import importlib.util
import os
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F

SEED = 1998
SCANS = {"validation": 20, "test": 40}  # of each digit; training has the other 1,197
COPIES = {"train": 46, "validation": 10, "test": 10}  # of each scan: a plain one, then moved ones
PHOTOS = ("china", "flower")
CENTRE = 1 / 28  # MNIST's centre of mass, pixel (14, 14), in grid_sample's units: −1 to 1


class Images(NamedTuple):
    """One split, before it becomes floats."""

    images: torch.Tensor  # (N, 28, 28), uint8
    labels: torch.Tensor  # (N,), int64
    originals: torch.Tensor  # (N,), int64: which of the 1,797 scans each image was made from


@functools.cache
def build() -> dict[str, Images]:
    """Make the three splits: 55,062 training, 2,000 validation and 4,000 test images.

    The scans are divided first and copied afterwards, so no two splits hold images of one scan.
    Each split begins with its plain scans, shuffled. Rounds of moved copies follow, every scan once
    in each round, so the first images of a split are all of different scans. The result is the same
    on every call, neither reads nor changes torch's global random state, and is kept in memory.
    """
    threads = torch.get_num_threads()
    # One thread works in the processor's cache: 0.7 s on any machine, also on one that is busy,
    # where threads that wait for each other took ten times that.
    torch.set_num_threads(1)
    try:
        return _build()
    finally:
        torch.set_num_threads(threads)


def _build():
    scans, labels = read_scans()
    strokes, centres = redraw(torch.from_numpy((scans / 16).astype(np.float32))[:, None])
    generator = torch.Generator().manual_seed(SEED)
    splits = {}
    for name, scans in divide(labels, generator).items():
        images, originals = [], []
        for copy in range(COPIES[name]):
            order = scans[torch.randperm(len(scans), generator=generator)]
            moves = draw_moves(centres[order], generator, strength=min(copy, 1))
            few = zip(strokes[order].split(128), moves.split(128), strict=True)
            images.extend(render(*part) for part in few)
            originals.append(order)
        originals = torch.cat(originals)
        splits[name] = Images(torch.cat(images), labels[originals], originals)
    return splits


def read_scans():
    """Read scikit-learn's scans (1797, 8, 8), 0 to 16, and their labels (1797,), int64."""
    if (file := _shipped("data/digits.csv.gz")).is_file():
        table = np.loadtxt(file, delimiter=",")
        scans, labels = table[:, :-1].reshape(-1, 8, 8), table[:, -1]
    else:
        from sklearn.datasets import load_digits

        scans, labels = (digits := load_digits()).images, digits.target
    return scans, torch.from_numpy(labels.astype(np.int64))


def _shipped(name):
    """Where scikit-learn keeps a file of its data: to import it for that takes a second or two."""
    package = importlib.util.find_spec("sklearn")
    return Path(package.origin if package else "").parent / "datasets" / name


def divide(labels, generator):
    """Divide the scans' numbers among the splits: equally many of each digit in the small ones."""
    parts = {"validation": [], "test": [], "train": []}
    for digit in range(10):
        scans = torch.nonzero(labels == digit).flatten()
        scans = scans[torch.randperm(len(scans), generator=generator)]
        sizes = [*SCANS.values(), len(scans) - sum(SCANS.values())]
        for part, numbers in zip(parts.values(), scans.split(sizes), strict=True):
            part.append(numbers)
    return {name: torch.cat(parts[name]) for name in COPIES}


def redraw(scans):
    """Enlarge (N, 1, 8, 8) scans to (N, 1, 32, 32) and find their centres of mass (N, 2) as x, y.

    A thin stroke is grey in a scan of 8×8. Divided by the brightest pixel next to it, it stays as
    white as a thick one when the contrast is raised, instead of breaking up.
    """
    scans = scans / F.max_pool2d(scans, 3, stride=1, padding=1).clamp(min=0.3)
    strokes = F.interpolate(scans, size=(32, 32), mode="bicubic", align_corners=False).clamp(0, 1)
    place = (torch.arange(32) * 2 + 1) / 32 - 1
    mass = strokes.sum(dim=(1, 2, 3))
    x, y = (strokes.sum(dim=(1, 2)) @ place) / mass, (strokes.sum(dim=(1, 3)) @ place) / mass
    return strokes, torch.stack([x, y], dim=1)


def draw_moves(centres, generator, strength):
    """Draw affine maps (N, 2, 3) that take a place in the new image to its place in the scan.

    With strength 0 they only frame the digit as MNIST does: 20 pixels high, centred by its mass.
    With strength 1 they also turn it by up to 6 degrees, slant it by up to a tenth, stretch it by
    up to 6 % either way and shift it by up to 0.6 pixels.
    """
    draws = (torch.rand(6, len(centres), generator=generator) * 2 - 1) * strength
    angle, slant = 0.105 * draws[0], 0.1 * draws[1]
    width, height = 28 / 24 / (1 + 0.06 * draws[2]), 28 / 20 / (1 + 0.06 * draws[3])
    cos, sin = torch.cos(angle), torch.sin(angle)
    top = torch.stack([width * cos, width * (slant * cos - sin)], dim=1)
    bottom = torch.stack([height * sin, height * (slant * sin + cos)], dim=1)
    linear = torch.stack([top, bottom], dim=1)
    target = CENTRE + 0.6 * draws[4:].T / 14  # a pixel is 2/28
    return torch.cat([linear, centres[:, :, None] - linear @ target[:, :, None]], dim=2)


def render(strokes, moves):
    """Sample (N, 1, 32, 32) strokes at the places the moves name; return (N, 28, 28) as uint8."""
    place = (torch.arange(28) * 2 + 1) / 28 - 1
    y, x = torch.meshgrid(place, place, indexing="ij")
    # One matrix product: torch's affine_grid does the same, one small product an image, slower.
    grid = moves @ torch.stack([x.flatten(), y.flatten(), torch.ones(28 * 28)])
    grid = grid.transpose(1, 2).unflatten(1, (28, 28))
    ink = F.grid_sample(strokes, grid, mode="bilinear", align_corners=False)[:, 0]
    # Chosen so that brightness and stroke width come near MNIST's.
    return ink.sub_(0.53).mul_(255 / 0.35).clamp_(0, 255).round_().to(torch.uint8)


def load_photo(
    name: str | os.PathLike = "china", size: int = 256, color: bool = False
) -> torch.Tensor:
    """Load a photograph, cut to its middle square: float32 (1, 1, size, size) in [0, 1].

    name: "china" or "flower", two photographs in scikit-learn (CC BY 2.0), by danielbuechele,
    https://www.flickr.com/photos/danielbuechele/6061409035/, and by vultilion,
    https://www.flickr.com/photos/vultilion/6056698931/; or the path of a picture of your own.
    size: height and width in pixels, 1 to 4096. color: three channels, red, green and blue, instead
    of one of luma, 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601).

    Raises ValueError for a name that is no picture and for another size.
    """
    from PIL import Image, ImageOps

    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= 4096:
        raise ValueError(f"size={size!r} is not a whole number of pixels from 1 to 4096")
    if name in PHOTOS and (file := _shipped(f"images/{name}.jpg")).is_file():
        picture = _open(file)
    elif name in PHOTOS:
        from sklearn.datasets import load_sample_image

        picture = Image.fromarray(load_sample_image(f"{name}.jpg"))
    else:
        picture = _open(name)
    picture = ImageOps.fit(picture, (size, size), Image.Resampling.LANCZOS)
    x = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].to(torch.float32) / 255
    if color:
        return x.contiguous()
    return torch.einsum("nchw,c->nhw", x, torch.tensor([0.299, 0.587, 0.114]))[:, None].clamp(0, 1)


def _as_bytes(pixels):
    """0 to 255: whole numbers are of 16 bits; others go up to 1, 255 or 65,535, by the largest."""
    white = 65535.0
    if pixels.dtype.kind == "f":
        pixels = np.nan_to_num(pixels, nan=0.0, posinf=0.0, neginf=0.0)
        white = next((top for top in (1.0, 255.0, 65535.0) if pixels.max() <= top), pixels.max())
    return (pixels * (255 / white)).clip(0, 255).astype(np.uint8)


def _open(path):
    """Read a picture of any kind as RGB, upright, on white where it is transparent."""
    from PIL import Image, ImageOps

    if not isinstance(path, str | os.PathLike) or not os.path.isfile(path):
        raise ValueError(
            f"name={str(path)!r} is neither 'china' nor 'flower' nor a picture file seen from"
            f" {os.getcwd()}"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as file:
                picture = ImageOps.exif_transpose(file)
        if picture.mode.startswith(("I", "F")):  # convert() would cut off, not scale
            picture = Image.fromarray(_as_bytes(np.asarray(picture)))
        picture = picture.convert("RGBA")
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        most = Image.MAX_IMAGE_PIXELS // 1_000_000
        raise ValueError(
            f"name={str(path)!r} has too many pixels, more than {most} millions: make it smaller"
        ) from None
    except (OSError, SyntaxError, ValueError) as error:
        raise ValueError(f"name={str(path)!r} cannot be read as a picture: {error}") from error
    return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
