"""Pictures that a student brings along: `load_photo`, and the widgets that take a tensor."""

import struct
import zlib

import numpy as np
import torch
from PIL import Image
from world import Fault

from course_utils import data, widgets


def load(name, **options):
    def provoke(world):
        x = data.load_photo(world.folder / name, **options)
        world.notes["x"] = x
        return f"{tuple(x.shape)}, from {x.min():.2f} to {x.max():.2f}"

    return provoke


def saved(picture, name, **options):
    return lambda world: picture().save(world.folder / name, **options)


def written(name, content):
    return lambda world: (world.folder / name).write_bytes(content)


def half_a_photo(world):
    noise = np.random.default_rng(0).integers(0, 256, (99, 99, 3), dtype=np.uint8)
    Image.fromarray(noise).save(world.folder / "half.jpg")
    content = (world.folder / "half.jpg").read_bytes()
    (world.folder / "half.jpg").write_bytes(content[: len(content) // 2])


def bomb(world):
    """A PNG of 60 bytes that would be 20,000 × 20,000 pixels."""
    chunk = lambda kind, body: (  # noqa: E731
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    )
    header = struct.pack(">2I5B", 20_000, 20_000, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b""))
    (world.folder / "huge.png").write_bytes(png + chunk(b"IEND", b""))


def moving(world):
    frames = [Image.new("L", (20, 20), shade) for shade in (255, 0)]
    frames[0].save(world.folder / "moving.gif", save_all=True, append_images=frames[1:])


def on_its_side(world):
    half = Image.new("RGB", (40, 40), "white")
    half.paste("black", (0, 20, 40, 40))
    exif = Image.Exif()
    exif[0x0112] = 6  # taken with the camera on its side
    half.save(world.folder / "side.png", exif=exif)


def upright(world):
    x = world.notes["x"][0, 0]
    assert x[:, 2].max() < 0.1 < 0.9 < x[:, -2].min(), "the bottom is left now"


def into(widget, name, value):
    """Give a widget an impossible picture; it must keep the one that it has."""

    def provoke(world):
        world.notes["widget"], world.notes["name"] = widget, name
        shown = widget()
        world.notes["shown"], world.notes["before"] = shown, getattr(shown, name).clone()
        setattr(shown, name, value)

    return provoke


def still_shown(world):
    shown, name = world.notes["shown"], world.notes["name"]
    assert torch.equal(getattr(shown, name), world.notes["before"])
    assert len(shown.draw().alt_text) > 15, "a picture is there, and words"


NAN = torch.full((28, 28), torch.nan)
WHITE = "(1, 1, 16, 16), from 1.00 to 1.00"
ROWS = [
    Fault(
        "a picture is a text file",
        "a picture that is none",
        load("text.jpg"),
        ("text.jpg' cannot be read as a picture", "cannot identify"),
        given=written("text.jpg", b"not a picture"),
    ),
    Fault(
        "a picture is an empty file",
        "a picture that is none",
        load("empty.png"),
        "cannot be read as a picture",
        given=written("empty.png", b""),
    ),
    Fault(
        "a picture is not there",
        "a picture that is none",
        load("chyna.jpg"),
        ("is neither 'china' nor 'flower' nor a picture file", "seen from"),
    ),
    Fault(
        "a photograph is cut in the middle",
        "a picture that is none",
        load("half.jpg"),
        ("cannot be read as a picture", "truncated"),
        given=half_a_photo,
    ),
    Fault(
        "a picture unpacks to more than memory holds",
        "a huge picture",
        load("huge.png"),
        ("huge.png' has too many pixels", "make it smaller"),
        given=bomb,
    ),
    Fault(
        "a picture is larger than the lesson needs",
        "a huge picture",
        load("large.png", size=16),
        WHITE,
        given=saved(lambda: Image.new("1", (4000, 3000), 1), "large.png"),
    ),
    Fault(
        "a picture has a single pixel",
        "a huge picture",
        load("one.gif", size=16),
        "(1, 1, 16, 16), from 0.00 to 0.00",
        given=saved(lambda: Image.new("P", (1, 1), 0), "one.gif"),
    ),
    Fault(
        "a picture is transparent",
        "alpha",
        load("clear.png", size=16),
        WHITE,
        given=saved(lambda: Image.new("RGBA", (30, 20), (0, 0, 0, 0)), "clear.png"),
    ),
    Fault(
        "a picture with a palette is transparent",
        "alpha",
        load("clear.gif", size=16),
        WHITE,
        given=saved(lambda: Image.new("P", (30, 20), 0), "clear.gif", transparency=0),
    ),
    Fault(
        "a picture is made for print, in CMYK",
        "CMYK",
        load("print.jpg", size=16),
        WHITE,
        given=saved(lambda: Image.new("CMYK", (20, 30), (0, 0, 0, 0)), "print.jpg"),
    ),
    Fault(
        "a picture has 16 bits a pixel",
        "another kind of picture",
        load("deep.png", size=16),
        WHITE,
        given=saved(lambda: Image.fromarray(np.full((9, 9), 65535, np.uint16)), "deep.png"),
    ),
    Fault(
        "a picture moves: the first frame is taken",
        "another kind of picture",
        load("moving.gif", size=16),
        WHITE,
        given=moving,
    ),
    Fault(
        "a photograph lies on its side",
        "another kind of picture",
        load("side.png", size=40),
        "(1, 1, 40, 40)",
        given=on_its_side,
        kept=upright,
    ),
    Fault(
        "a size is impossible",
        "a huge picture",
        lambda world: data.load_photo(size=10**6),
        "size=1000000 is not a whole number of pixels from 1 to 4096",
    ),
    Fault(
        "the playground gets a picture of nan",
        "NaN in input",
        into(widgets.KernelPlayground, "image", NAN),
        ("image holds a number that is not possible", "no NaN or infinity"),
        kept=still_shown,
    ),
    Fault(
        "the playground gets a picture with its colours last",
        "a picture that is none",
        into(widgets.KernelPlayground, "image", torch.rand(20, 20, 3)),
        ("image of shape (20, 20, 3) is not possible", ".permute(2, 0, 1)"),
        kept=still_shown,
    ),
    Fault(
        "the pad gets a picture of nan",
        "NaN in input",
        into(widgets.DigitPad, "image", NAN),
        "give numbers from 0, black, to 1, white",
        kept=still_shown,
    ),
    Fault(
        "the pad gets a picture from 0 to 255",
        "a picture that is none",
        into(widgets.DigitPad, "image", torch.full((28, 28), 255, dtype=torch.uint8)),
        ("image goes from 255 to 255", "divide by 255"),
        kept=still_shown,
    ),
    Fault(
        "a widget gets an input of nan",
        "NaN in input",
        into(widgets.ConvolutionStepper, "input", NAN[:3, :3]),
        "input holds a number that is not finite: give numbers, no NaN or infinity",
        kept=still_shown,
    ),
    Fault(
        "a widget gets words for an input",
        "a picture that is none",
        into(widgets.PoolingExplorer, "input", "a picture"),
        ("input='a picture' is not possible", "give a tensor"),
        kept=still_shown,
    ),
]
