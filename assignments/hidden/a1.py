"""A1 · Arithmetic, the functions: what the students never see."""

import torch
import torch.nn.functional as F

from course_utils.checks import Case, Exercise, Mistake

CHANNELS = "lesson 01, 'Several channels'"
LARGEST = "lesson 02, 'The largest of each window'"

# PyTorch's own convolutions and poolings, which an answer may not call.
NO_CONVOLUTION = (
    *("conv1d", "conv2d", "conv3d", "convolution", "_convolution", "_convolution_mode", "im2col"),
    *("conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "conv_tbc", "thnn_conv2d"),
    *("slow_conv3d", "conv_depthwise3d", "mkldnn_convolution", "cudnn_convolution"),
)
NO_MAXIMUM = (
    *("max_pool1d", "max_pool2d", "max_pool3d", "max_pool1d_with_indices"),
    *("max_pool2d_with_indices", "max_pool3d_with_indices"),
    *("adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d"),
    *("fractional_max_pool2d", "fractional_max_pool3d"),
)


def _numbers(*shape, seed=0):
    """Small whole numbers, so that faults can be followed with a pencil."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-9, 10, shape, generator=generator).double()


def _windows(x, k_h, k_w, stride=1):
    """(N, C, H, W) -> (N, C, H_out, W_out, k_h, k_w)."""
    return x.unfold(2, k_h, stride).unfold(3, k_w, stride)


# ---- task 4: a depthwise convolution ------------------------------------------------------------


def _depthwise(x, weight, bias=None, stride=1, padding=0):
    # Without conv2d, since neither the reference nor the wrong answers below may call it.
    windows = _windows(F.pad(x, (padding,) * 4), *weight.shape[2:], stride)
    output = torch.einsum("nchwij,cij->nchw", windows, weight[:, 0])
    return output if bias is None else output + bias[:, None, None]


def _summed(x, weight, bias=None, stride=1, padding=0):
    # One output channel, copied or not: what an ordinary convolution does with the channels.
    output = _depthwise(x, weight, None, stride, padding).sum(1, keepdim=True)
    return output.expand(-1, x.shape[1], -1, -1) + (0 if bias is None else bias[:, None, None])


def _all_kernels_on_all_channels(x, weight, bias=None, stride=1, padding=0):
    # Output channel o adds what kernel o gives on every input channel.
    x = x.sum(1, keepdim=True).expand_as(x)
    return _depthwise(x, weight, bias, stride, padding)


def _one_map(x, weight, bias=None, stride=1, padding=0):
    return _depthwise(x, weight, bias, stride, padding).sum(1, keepdim=True)


def _stride_in_the_size_only(x, weight, bias=None, stride=1, padding=0):
    height, width = _depthwise(x, weight, bias, stride, padding).shape[2:]
    return _depthwise(x, weight, bias, 1, padding)[:, :, :height, :width]


def _last_window_left_zero(x, weight, bias=None, stride=1, padding=0):
    right = _depthwise(x, weight, bias, stride, padding)
    wrong = torch.zeros_like(right)
    wrong[:, :, :-1, :-1] = right[:, :, :-1, :-1]
    return wrong


def _overwritten(x, weight, bias=None, stride=1, padding=0):
    only_last = torch.zeros_like(weight)
    only_last[..., -1, -1] = weight[..., -1, -1]
    return _depthwise(x, only_last, bias, stride, padding)


def _bias_of(change):
    """A depthwise convolution with another bias: `change(bias, weight)`."""

    def answer(x, weight, bias=None, stride=1, padding=0):
        bias = None if bias is None else change(bias, weight)
        return _depthwise(x, weight, bias, stride, padding)

    return answer


def _weight_of(change):
    """A depthwise convolution with other weights: `change(weight)`."""
    return lambda x, weight, bias=None, stride=1, padding=0: _depthwise(
        x, change(weight), bias, stride, padding
    )


def _input_of(change):
    """A depthwise convolution of another input: `change(x)`."""
    return lambda x, weight, bias=None, stride=1, padding=0: _depthwise(
        change(x), weight, bias, stride, padding
    )


depthwise_conv2d = Exercise(
    name="depthwise_conv2d",
    lesson=CHANNELS,
    reference=_depthwise,
    without=NO_CONVOLUTION,
    hidden=True,
    cases=(
        Case((_numbers(1, 1, 3, 3, seed=1), _numbers(1, 1, 2, 2, seed=2))),
        Case((_numbers(1, 2, 3, 3, seed=3), _numbers(2, 1, 2, 2, seed=4))),
        Case((_numbers(1, 3, 4, 3, seed=5), _numbers(3, 1, 1, 2, seed=6), _numbers(3, seed=7))),
        Case((_numbers(1, 2, 4, 5, seed=8), _numbers(2, 1, 3, 2, seed=9)), {"stride": 2}),
        Case((_numbers(1, 2, 3, 3, seed=10), _numbers(2, 1, 2, 2, seed=11)), {"padding": 1}),
        Case(
            (_numbers(2, 3, 6, 5, seed=12), _numbers(3, 1, 3, 2, seed=13), _numbers(3, seed=14)),
            {"stride": 2, "padding": 1},
        ),
        Case(
            (_numbers(3, 2, 5, 7, seed=15).float(), _numbers(2, 1, 3, 3, seed=16).float()),
            {"stride": 3},
        ),
        Case(
            (_numbers(2, 4, 4, 8, seed=17), _numbers(4, 1, 2, 5, seed=18), _numbers(4, seed=19)),
            {"stride": 3, "padding": 2},
        ),
    ),
    mistakes=(
        Mistake(
            "channels_summed",
            _one_map,
            "The channels are summed, as in an ordinary convolution. Here each one stays a channel "
            "of its own.",
            also=(_summed, _all_kernels_on_all_channels),
        ),
        Mistake(
            "one_kernel_for_all",
            _weight_of(lambda weight: weight[:1].expand_as(weight)),
            "All channels get the same kernel. Each has its own.",
            also=(_weight_of(lambda weight: weight[-1:].expand_as(weight)),),
        ),
        Mistake(
            "one_channel_for_all",
            _input_of(lambda x: x[:, :1].expand_as(x)),
            "All output channels come from the same input channel. Each has its own.",
            also=(_input_of(lambda x: x[:, -1:].expand_as(x)),),
        ),
        Mistake(
            "flipped_kernel",
            _weight_of(lambda weight: weight.flip(-1, -2)),
            "The kernel is turned by 180°. Lay it on the image as it stands.",
        ),
        Mistake(
            "mirrored_kernel",
            _weight_of(lambda weight: weight.flip(-1)),
            "The kernel is mirrored. Lay it on the image as it stands.",
            also=(_weight_of(lambda weight: weight.flip(-2)),),
        ),
        Mistake(
            "stride_ignored",
            lambda x, w, b=None, stride=1, padding=0: _depthwise(x, w, b, 1, padding),
            "The stride is ignored: the window moves by one cell each time.",
            also=(_stride_in_the_size_only,),
        ),
        Mistake(
            "padding_forgotten",
            lambda x, w, b=None, stride=1, padding=0: _depthwise(x, w, b, stride, 0),
            "The padding is forgotten: put `padding` rows and columns of zeros on every side.",
        ),
        Mistake(
            "padding_on_one_side",
            lambda x, w, b=None, stride=1, padding=0: _depthwise(
                F.pad(x, (padding, 0, padding, 0)), w, b, stride, 0
            ),
            "Padding is missing at the bottom and on the right: it belongs on all four sides.",
        ),
        Mistake(
            "padding_on_the_width_only",
            lambda x, w, b=None, stride=1, padding=0: _depthwise(
                F.pad(x, (padding, padding)), w, b, stride, 0
            ),
            "Padding is missing above and below: it belongs on all four sides.",
        ),
        Mistake(
            "bias_lost",
            _bias_of(lambda bias, weight: None),
            "The bias is lost: add `bias[c]` to every number of channel c.",
        ),
        Mistake(
            "first_bias_only",
            _bias_of(lambda bias, weight: bias[:1].expand_as(bias)),
            "Every channel gets the first bias: channel c has its own, `bias[c]`.",
        ),
        Mistake(
            "all_biases_added",
            _bias_of(lambda bias, weight: bias.sum().expand_as(bias)),
            "Every channel gets the biases of all channels. It has its own, `bias[c]`.",
        ),
        Mistake(
            "bias_for_every_cell",
            _bias_of(lambda bias, weight: bias * weight[0].numel()),
            "The bias is added once for every cell of the window. Once in all is right.",
        ),
        Mistake(
            "last_window_lost",
            lambda x, w, b=None, stride=1, padding=0: _depthwise(x, w, b, stride, padding)[
                :, :, :-1, :-1
            ],
            "The last row and column of windows are missing: how many places are there, the first "
            "one included?",
            also=(_last_window_left_zero,),
        ),
        Mistake(
            "overwritten",
            _overwritten,
            "Only the last product of each window is left: add each one to those before it.",
        ),
        Mistake(
            "averaged",
            _weight_of(lambda weight: weight / weight[0].numel()),
            "The sum is not divided by the number of cells.",
        ),
        Mistake(
            "kernel_ignored",
            _weight_of(torch.ones_like),
            "The cells are added without multiplying by the kernel.",
        ),
        Mistake(
            "height_width_swapped",
            lambda x, w, b=None, stride=1, padding=0: _depthwise(x.mT, w, b, stride, padding).mT,
            "Height and width are swapped: the kernel's rows run along the image's columns.",
            also=(
                lambda x, w, b=None, stride=1, padding=0: _depthwise(x, w, b, stride, padding).mT,
            ),
        ),
        Mistake(
            "first_image_only",
            _input_of(lambda x: x[:1].expand_as(x)),
            "Every image of the batch gets the output of the first one.",
            also=(
                lambda x, w, b=None, stride=1, padding=0: _depthwise(x[:1], w, b, stride, padding),
            ),
        ),
        Mistake(
            "stride_offset",
            lambda x, w, b=None, stride=1, padding=0: _depthwise(x, w, b, 1, padding)[
                :, :, stride - 1 :: stride, stride - 1 :: stride
            ],
            "With a stride, the first window still starts in the corner.",
        ),
    ),
)


# ---- task 5: the range of each window -----------------------------------------------------------


def _largest(x, kernel_size, stride=None):
    return _windows(x, kernel_size, kernel_size, stride or kernel_size).amax((4, 5))


def _range(x, kernel_size, stride=None):
    return _largest(x, kernel_size, stride) + _largest(-x, kernel_size, stride)


def _rounded_up(x, kernel_size, stride=None):
    stride = stride or kernel_size
    more = [-(size - kernel_size) % stride for size in x.shape[2:]]
    # A window that would begin outside is not added.
    more = [rows if rows < kernel_size else 0 for rows in more]
    largest, smallest = (
        _largest(F.pad(sign * x, (0, more[1], 0, more[0]), value=-torch.inf), kernel_size, stride)
        for sign in (1, -1)
    )
    return largest + smallest


def _corner_to_corner(x, kernel_size, stride=None):
    windows = _windows(x, kernel_size, kernel_size, stride or kernel_size)
    return windows[..., -1, -1] - windows[..., 0, 0]


def _row_by_row(x, kernel_size, stride=None):
    windows = _windows(x, kernel_size, kernel_size, stride or kernel_size)
    return (windows.amax(5) - windows.amin(5)).amax(4)


def _twice(x, kernel_size, stride=None):
    # The range of each row of a window, and then the range of these.
    windows = _windows(x, kernel_size, kernel_size, stride or kernel_size)
    rows = windows.amax(5) - windows.amin(5)
    return rows.amax(4) - rows.amin(4)


def _above_average(x, kernel_size, stride=None):
    windows = _windows(x, kernel_size, kernel_size, stride or kernel_size)
    return windows.amax((4, 5)) - windows.mean((4, 5))


def _last_window_zero(x, kernel_size, stride=None):
    right = _range(x, kernel_size, stride)
    wrong = torch.zeros_like(right)
    wrong[:, :, :-1, :-1] = right[:, :, :-1, :-1]
    return wrong


def _padded(x, kernel_size, stride=None):
    stride, half = stride or kernel_size, kernel_size // 2
    sides = (half,) * 4
    return sum(
        _largest(F.pad(s * x, sides, value=-torch.inf), kernel_size, stride) for s in (1, -1)
    )


range_pool2d = Exercise(
    name="range_pool2d",
    lesson=LARGEST,
    reference=_range,
    without=NO_MAXIMUM,
    hidden=True,
    cases=(
        Case((_numbers(1, 1, 2, 4, seed=21), 2)),
        Case((_numbers(1, 1, 3, 5, seed=22), 2)),
        Case((_numbers(1, 1, 4, 5, seed=23) - 10, 3), {"stride": 1}),
        Case((_numbers(1, 2, 4, 4, seed=24), 2)),
        Case((_numbers(2, 1, 5, 6, seed=25), 2), {"stride": 2}),
        Case((_numbers(2, 3, 7, 6, seed=26) - 5, 3), {"stride": 2}),
        Case((_numbers(2, 2, 6, 9, seed=27).float(), 2), {"stride": 3}),
        Case((_numbers(1, 2, 5, 4, seed=28), 1), {"stride": 2}),
    ),
    mistakes=(
        Mistake(
            "default_stride_one",
            lambda x, k, stride=None: _range(x, k, stride or 1),
            "Without a stride the window moves by its own width: `stride=None` means "
            "`stride=kernel_size`.",
        ),
        Mistake(
            "stride_ignored",
            lambda x, k, stride=None: _range(x, k),
            "The stride is ignored: the window always moves by its own width.",
        ),
        Mistake(
            "stride_always_one",
            lambda x, k, stride=None: _range(x, k, 1),
            "The stride is ignored: the window always moves by one cell.",
        ),
        Mistake(
            "maximum",
            _largest,
            "Those are the largest numbers of the windows. The smallest is to be taken away.",
        ),
        Mistake(
            "minimum",
            lambda x, k, stride=None: -_largest(-x, k, stride),
            "Those are the smallest numbers of the windows.",
        ),
        Mistake(
            "turned_round",
            lambda x, k, stride=None: -_range(x, k, stride),
            "The largest is taken from the smallest: the difference has the wrong sign.",
        ),
        Mistake(
            "added",
            lambda x, k, stride=None: _largest(x, k, stride) - _largest(-x, k, stride),
            "The largest and the smallest are added. Their difference is asked for.",
        ),
        Mistake(
            "signs_lost",
            lambda x, k, stride=None: _range(x.abs(), k, stride),
            "The signs are lost: from −6 to 1 it is 7.",
        ),
        Mistake(
            "zero_always_in_it",
            lambda x, k, stride=None: (
                _largest(x, k, stride).clamp(min=0) + _largest(-x, k, stride).clamp(min=0)
            ),
            "A search began with 0: where all numbers of a window are on one side of 0, the 0 "
            "stays. Begin with a number of the window.",
            also=(
                lambda x, k, stride=None: (
                    _largest(x, k, stride).clamp(min=0) + _largest(-x, k, stride)
                ),
                lambda x, k, stride=None: (
                    _largest(x, k, stride) + _largest(-x, k, stride).clamp(min=0)
                ),
            ),
        ),
        Mistake(
            "last_window_lost",
            lambda x, k, stride=None: _range(x, k, stride)[..., :-1, :-1],
            "The last row and column of windows are missing: how many positions are there, the "
            "first one included?",
            also=(_last_window_zero,),
        ),
        Mistake(
            "rounded_up",
            _rounded_up,
            "A window that hangs over the end is dropped here: round the number of positions down.",
        ),
        Mistake(
            "padded",
            _padded,
            "The image was padded. There is no padding here.",
        ),
        Mistake(
            "height_width_swapped",
            lambda x, k, stride=None: _range(x, k, stride).mT,
            "Height and width of the output are swapped.",
        ),
        Mistake(
            "channels_pooled",
            lambda x, k, stride=None: (
                _largest(x, k, stride).amax(1, keepdim=True)
                + _largest(-x, k, stride).amax(1, keepdim=True)
            ),
            "The range was taken over the channels too. Each channel is pooled by itself.",
            also=(
                lambda x, k, stride=None: (
                    _largest(x, k, stride).amax(1, keepdim=True)
                    + _largest(-x, k, stride).amax(1, keepdim=True)
                ).expand(-1, x.shape[1], -1, -1),
            ),
        ),
        Mistake(
            "images_pooled",
            lambda x, k, stride=None: (
                _largest(x, k, stride).amax((0, 1)) + _largest(-x, k, stride).amax((0, 1))
            ).expand(*x.shape[:2], -1, -1),
            "One range was taken over all images and channels: name the two axes of the window, "
            "as in `amax((2, 3))`.",
        ),
        Mistake(
            "corner_to_corner",
            _corner_to_corner,
            "The first cell of each window is taken from the last. The largest and the smallest "
            "may stand anywhere.",
        ),
        Mistake(
            "row_by_row",
            _row_by_row,
            "Each row of a window has a range of its own here. The largest and the smallest may "
            "stand in different rows.",
            also=(_twice,),
        ),
        Mistake(
            "above_average",
            _above_average,
            "The average is taken away from the largest. Take away the smallest.",
        ),
    ),
)
