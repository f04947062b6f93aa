"""A1: right answers of every style are accepted, and everybody's own numbers make a fair task."""

import pytest
import torch
import torch.nn.functional as F
from hidden import a1, a1_by_hand
from torch import nn

from course_utils import assignments, ops
from course_utils.assignments import own_numbers as numbers

IDS = ["ada", *(f"s{number:06d}" for number in range(12_000, 12_300))]

# ---- the functions ------------------------------------------------------------------------------


def depthwise_in_loops(x, weight, bias=None, stride=1, padding=0):
    images, channels, height, width = x.shape
    k_h, k_w = weight.shape[2:]
    padded = x.new_zeros(images, channels, height + 2 * padding, width + 2 * padding)
    padded[:, :, padding : padding + height, padding : padding + width] = x
    rows = (height + 2 * padding - k_h) // stride + 1
    columns = (width + 2 * padding - k_w) // stride + 1
    output = x.new_zeros(images, channels, rows, columns)
    for n in range(images):
        for c in range(channels):
            for i in range(rows):
                for j in range(columns):
                    total = 0.0 if bias is None else bias[c].item()
                    for m in range(k_h):
                        for k in range(k_w):
                            cell = padded[n, c, i * stride + m, j * stride + k]
                            total += (cell * weight[c, 0, m, k]).item()
                    output[n, c, i, j] = total
    return output


def depthwise_by_window(x, weight, bias=None, stride=1, padding=0):
    x = F.pad(x, (padding,) * 4)
    k_h, k_w = weight.shape[2:]
    tops = range(0, x.shape[2] - k_h + 1, stride)
    lefts = range(0, x.shape[3] - k_w + 1, stride)
    rows = [
        torch.stack(
            [(x[:, :, i : i + k_h, j : j + k_w] * weight[:, 0]).sum((2, 3)) for j in lefts], -1
        )
        for i in tops
    ]
    output = torch.stack(rows, -2)
    return output if bias is None else output + bias.reshape(1, -1, 1, 1)


def depthwise_by_shifts(x, weight, bias=None, stride=1, padding=0):
    x = F.pad(x, (padding,) * 4)
    k_h, k_w = weight.shape[2:]
    height, width = x.shape[2] - k_h + 1, x.shape[3] - k_w + 1
    output = 0
    for m in range(k_h):
        for k in range(k_w):
            cells = x[:, :, m : m + height : stride, k : k + width : stride]
            output = output + cells * weight[:, 0, m, k][:, None, None]
    return output if bias is None else output + bias[:, None, None]


def depthwise_by_einsum(x, weight, bias=None, stride=1, padding=0):
    windows = F.pad(x, (padding,) * 4).unfold(2, weight.shape[2], stride)
    windows = windows.unfold(3, weight.shape[3], stride)
    output = torch.einsum("nchwij,coij->nchw", windows, weight)
    return output if bias is None else output + bias[:, None, None]


@pytest.mark.parametrize(
    "right", [depthwise_in_loops, depthwise_by_window, depthwise_by_shifts, depthwise_by_einsum]
)
def test_every_style_of_a_depthwise_convolution_is_accepted(right):
    result = a1.depthwise_conv2d(right)
    assert result.passed, str(result)


@pytest.mark.parametrize(
    "call",
    [
        lambda x, w, b, s, p: F.conv2d(x, w, b, s, p, groups=x.shape[1]),
        lambda x, w, b, s, p: torch.conv2d(x, w, b, s, p, groups=x.shape[1]),
        lambda x, w, b, s, p: torch.convolution(
            x, w, b, (s, s), (p, p), (1, 1), False, (0, 0), x.shape[1]
        ),
        lambda x, w, b, s, p: ops.conv2d(x, w, b, s, p, groups=x.shape[1]),
        lambda x, w, b, s, p: F.unfold(x, w.shape[2:], padding=p, stride=s),
        lambda x, w, b, s, p: nn.Conv2d(x.shape[1], x.shape[1], 2).to(x)(x),
        lambda x, w, b, s, p: F.conv3d(x[:, :, None], w[:, :, None], b, s, p, groups=x.shape[1]),
        lambda x, w, b, s, p: F.conv_transpose2d(x, w, b, groups=x.shape[1]),
    ],
)
def test_a_convolution_of_pytorch_or_of_the_course_is_refused(call):
    def shortcut(x, weight, bias=None, stride=1, padding=0):
        return call(x, weight, bias, stride, padding)

    assert a1.depthwise_conv2d(shortcut).diagnosis == "shortcut"


def range_in_loops(x, kernel_size, stride=None):
    step = stride or kernel_size
    rows = (x.shape[2] - kernel_size) // step + 1
    columns = (x.shape[3] - kernel_size) // step + 1
    output = x.new_zeros(*x.shape[:2], rows, columns)
    for i in range(rows):
        for j in range(columns):
            down = slice(i * step, i * step + kernel_size)
            across = slice(j * step, j * step + kernel_size)
            window = x[:, :, down, across]
            output[:, :, i, j] = window.amax((2, 3)) - window.amin((2, 3))
    return output


def range_unfolded(x, kernel_size, stride=None):
    step = stride or kernel_size
    windows = x.unfold(2, kernel_size, step).unfold(3, kernel_size, step).flatten(4)
    return windows.max(-1).values - windows.min(-1).values


def range_of_sorted(x, kernel_size, stride=None):
    step = stride or kernel_size
    cells = x.unfold(2, kernel_size, step).unfold(3, kernel_size, step).flatten(4).sort(-1).values
    return cells[..., -1] - cells[..., 0]


def range_in_plain_python(x, kernel_size, stride=None):
    step = kernel_size if stride is None else stride
    numbers_of = range(kernel_size)
    planes = []
    for plane in x.flatten(0, 1).tolist():
        tops = range(0, len(plane) - kernel_size + 1, step)
        lefts = range(0, len(plane[0]) - kernel_size + 1, step)
        windows = [
            [[plane[i + m][j + n] for m in numbers_of for n in numbers_of] for j in lefts]
            for i in tops
        ]
        planes.append([[max(cells) - min(cells) for cells in row] for row in windows])
    return torch.tensor(planes, dtype=x.dtype).unflatten(0, x.shape[:2])


@pytest.mark.parametrize(
    "right", [range_in_loops, range_unfolded, range_of_sorted, range_in_plain_python]
)
def test_every_style_of_a_range_pooling_is_accepted(right):
    result = a1.range_pool2d(right)
    assert result.passed, str(result)


@pytest.mark.parametrize(
    "call",
    [
        lambda x, k, s: F.max_pool2d(x, k, s) + F.max_pool2d(-x, k, s),
        lambda x, k, s: nn.MaxPool2d(k, s)(x) + nn.MaxPool2d(k, s)(-x),
        lambda x, k, s: F.max_pool2d(x, k, s, return_indices=True)[0],
        lambda x, k, s: F.max_pool3d(x, (1, k, k), s),
        lambda x, k, s: F.adaptive_max_pool2d(x, 1),
        lambda x, k, s: ops.max_pool2d(x, k, s) + ops.max_pool2d(-x, k, s),
    ],
)
def test_a_max_pooling_of_pytorch_or_of_the_course_is_refused(call):
    def shortcut(x, kernel_size, stride=None):
        return call(x, kernel_size, stride)

    assert a1.range_pool2d(shortcut).diagnosis == "shortcut"


def test_the_references_are_what_pytorch_computes():
    for case in a1.depthwise_conv2d.cases:
        channels = case.args[0].shape[1]
        expected = F.conv2d(*case.args, **case.kwargs, groups=channels)
        torch.testing.assert_close(
            a1.depthwise_conv2d.reference(*case.args, **case.kwargs), expected
        )
    for case in a1.range_pool2d.cases:
        x, *rest = case.args
        expected = F.max_pool2d(x, *rest, **case.kwargs) + F.max_pool2d(-x, *rest, **case.kwargs)
        torch.testing.assert_close(a1.range_pool2d.reference(x, *rest, **case.kwargs), expected)


# ---- the tables of wrong answers ----------------------------------------------------------------


@pytest.mark.parametrize("exercise", [of("ada") for of in a1_by_hand.BY_HAND], ids=lambda e: e.name)
def test_a_check_by_hand_accepts_lists_and_tensors_and_shows_no_number(exercise):
    assert exercise(exercise.reference).passed
    assert exercise(torch.tensor(exercise.reference)).passed
    assert len({mistake.name for mistake in exercise.mistakes}) == len(exercise.mistakes) >= 8
    for answer in (None, ...):
        assert exercise(answer).diagnosis == "not_attempted"
    said = str(exercise([number * 0 + 77 for number in torch.tensor(exercise.reference)]))
    assert not any(character.isdigit() for character in said.split("Read again")[0])


def test_unread_rows_may_come_in_any_order_and_as_any_collection():
    check = a1_by_hand.unread_rows("ada")
    rows = check.reference
    for answer in (rows[::-1], tuple(rows), set(rows), torch.tensor(rows)):
        assert check(answer).passed
    assert check(rows[:-1]).diagnosis is not None
    assert check(7).diagnosis == check(["a"]).diagnosis == "wrong_type"


# ---- numbers of one's own -----------------------------------------------------------------------


def right_and_wrong(check):
    """The right answer, and `(mistake, answer)` of every wrong one, as lists."""
    read = (lambda answer: check.prepare(answer)().tolist()) if check.prepare else list
    wrong = [(m.name, read(answer)) for m in check.mistakes for answer in m.answers]
    return read(check.reference), wrong


@pytest.mark.parametrize("of", a1_by_hand.BY_HAND, ids=lambda of: of.__name__)
def test_nobody_gets_a_task_in_which_a_wrong_way_gives_the_right_answer(of):
    for student in IDS:
        right, wrong = right_and_wrong(of(student))
        for mistake, answer in wrong:
            assert answer != right, (student, mistake)


@pytest.mark.parametrize("of", a1_by_hand.BY_HAND, ids=lambda of: of.__name__)
def test_hardly_ever_do_two_mistakes_give_the_same_answer(of):
    unclear = []
    for student in IDS:
        named = {}
        for mistake, answer in right_and_wrong(of(student))[1]:
            if named.setdefault(str(answer), mistake) != mistake:
                unclear.append((student, mistake, named[str(answer)]))
    assert len(unclear) <= 3, unclear


def test_neighbours_do_not_get_the_same_task():
    for draw, fewest in (
        (numbers.a1_convolution, 301),
        (numbers.a1_pooling, 301),
        (numbers.a1_layers, 200),
        (numbers.a1_rows, 20),
    ):
        assert len({str(draw(student)) for student in IDS}) >= fewest


def test_an_id_is_the_same_with_spaces_around_it_or_in_capitals():
    for draw in (numbers.a1_convolution, numbers.a1_pooling, numbers.a1_layers, numbers.a1_rows):
        assert str(draw("ada")) == str(draw(" Ada "))


def test_the_numbers_of_an_id_stay_what_they_are():
    image, kernel = numbers.a1_convolution("ada")
    assert image.tolist() == [[6, 6, 2, 5], [1, 4, 0, 0], [1, 1, 5, 2], [6, 5, 3, 5]]
    assert kernel.tolist() == [[-1, 0, -1], [-1, 1, 0], [-2, 0, 1]]
    rows = [[-7, 7, 3, 4], [-3, -1, -6, -8], [-2, -4, -5, 6], [9, 2, -9, 1]]
    assert numbers.a1_pooling("ada").tolist() == rows
    size, layers = numbers.a1_layers("ada")
    assert size == 50
    assert layers == (
        {"kernel_size": 7, "stride": 2, "padding": 2},
        {"kernel_size": 3, "dilation": 2},
        {"kernel_size": 3},
    )
    assert numbers.a1_rows("ada") == (23, {"kernel_size": 4, "stride": 6, "padding": 2})


def test_the_layers_of_the_third_task_are_what_pytorch_makes_of_them():
    for student in IDS[:40]:
        size, (first, second, third) = numbers.a1_layers(student)
        network = nn.Sequential(
            nn.Conv2d(1, 1, **first), nn.Conv2d(1, 1, **second), nn.MaxPool2d(**third)
        ).to("meta")
        x, sizes = torch.zeros(1, 1, size, size, device="meta"), []
        for layer in network:
            x = layer(x)
            sizes.append(x.shape[2])
        assert a1_by_hand.layer_sizes(student).reference == sizes
        assert min(sizes) >= 2


def test_unread_rows_are_those_that_change_nothing():
    for student in IDS[:40]:
        rows, options = numbers.a1_rows(student)
        picture = torch.ones(1, 1, rows, 9, requires_grad=True)
        size = options["kernel_size"]
        F.conv2d(picture, torch.ones(1, 1, size, size), None, options["stride"],
                 options["padding"]).sum().backward()  # fmt: skip
        unread = (picture.grad[0, 0].sum(1) == 0).nonzero().flatten().tolist()
        assert a1_by_hand.unread_rows(student).reference == unread
        assert 3 <= len(unread) <= 12
        assert rows - 1 in unread


def test_pooling_by_hand_is_what_pytorch_computes():
    for student in IDS[:40]:
        image = numbers.a1_pooling(student)[None, None]
        options = {"kernel_size": 2, "stride": 2, "padding": 1}
        expected = {
            a1_by_hand.max_pooled: F.max_pool2d(image, **options),
            a1_by_hand.average_pooled: F.avg_pool2d(image, **options),
            a1_by_hand.average_inside: F.avg_pool2d(image, **options, count_include_pad=False),
        }
        for of, output in expected.items():
            assert of(student).reference == output[0, 0].tolist()


# ---- the form of an answer ----------------------------------------------------------------------


@pytest.mark.parametrize("answer", [[[1, 2], [3, 4]], ((1, 2), (3, 4.5)), torch.ones(2, 2)])
def test_the_form_of_an_answer_says_nothing_of_its_numbers(answer):
    result = numbers.form("output", answer, (2, 2), "ada")
    assert result.passed
    assert "compared when it is graded" in result.headline


@pytest.mark.parametrize(
    ("answer", "shape", "said"),
    [
        ([1, 2], (2, 2), "The shape is (2,); it should be (2, 2)."),
        ([[1, 2], [3]], (2, 2), "This is not lists of numbers, equally long."),
        ([[1, 2], ["a", 3]], (2, 2), "This is not lists of numbers, equally long."),
        (7, (None,), "The shape is (); it should be (any,)."),
        ([[7]], (None,), "The shape is (1, 1); it should be (any,)."),
        ([float("nan")], (1,), "There is something in it that is no number."),
        ("a", (), "This is not a number."),
        ({1, 2}, (None,), "This is not a list of numbers."),
    ],
)
def test_an_answer_of_another_form_is_named(answer, shape, said):
    result = numbers.form("output", answer, shape, "ada")
    assert not result.passed
    assert said in result.sentence


def test_an_id_is_asked_for_but_not_of_those_who_have_not_begun():
    assert numbers.form("output", None, (2,), assignments.NO_ID).diagnosis == "not_attempted"
    result = numbers.form("output", [1, 2], (2,), assignments.NO_ID)
    assert not result.passed
    assert "Write your id into `student_id` first" in result.sentence
    assert numbers.form("output", [], (None,), "ada").passed
