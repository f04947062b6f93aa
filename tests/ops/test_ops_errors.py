"""A refused argument is named, with its value and with what would be right."""

import pytest
import torch

from course_utils import ops

x = torch.zeros(1, 4, 5, 5)
weight = torch.zeros(6, 4, 2, 2)
nan = float("nan")


def conv(**changed):
    return ops.conv2d, {"x": x, "weight": weight} | changed


def transposed(**changed):
    return ops.conv_transpose2d, {"x": x, "weight": torch.zeros(4, 6, 2, 2)} | changed


def max_pool(**changed):
    return ops.max_pool2d, {"x": x, "kernel_size": 2} | changed


def avg_pool(**changed):
    return ops.avg_pool2d, {"x": x, "kernel_size": 2} | changed


def size(**changed):
    return ops.output_size, {"size": 5, "kernel_size": 2} | changed


def conv_backward(**changed):
    given = {"x": x, "weight": weight, "grad_output": torch.zeros(1, 6, 4, 4)}
    return ops.conv2d_backward, given | changed


def pool_backward(**changed):
    given = {"x": x, "grad_output": torch.zeros(1, 4, 2, 2), "kernel_size": 2}
    return ops.max_pool2d_backward, given | changed


REFUSED = [
    # The sentences are written out: what a student reads is part of the contract.
    (max_pool(padding=3), "padding=3 is too large for kernel_size=2: max pooling allows at most 1"),
    (
        avg_pool(kernel_size=(2, 3), padding=2),
        "padding=2 is too large for kernel_size=(2, 3): average pooling allows at most 1",
    ),
    (max_pool(padding=-1), "padding=-1 is too small: it must be at least 0"),
    (max_pool(padding="same"), "padding='same' is not a whole number: it must be an int"),
    (max_pool(kernel_size=0), "kernel_size=0 is too small: it must be at least 1"),
    (max_pool(kernel_size=2.0), "kernel_size=2.0 is not a whole number: it must be an int"),
    (max_pool(kernel_size=[]), "kernel_size=[] has 0 entries: give one integer, or two"),
    (max_pool(kernel_size=None), "kernel_size=None is not a whole number"),
    (max_pool(stride=(2, 0)), "stride=(2, 0) is too small: it must be at least 1"),
    (max_pool(dilation=0), "dilation=0 is too small: it must be at least 1"),
    (max_pool(ceil_mode=1), "ceil_mode=1 is not a bool: it must be True or False"),
    (max_pool(kernel_size=6), "kernel_size=6 is too large for size=5: with dilation=1 it covers 6"),
    (max_pool(x=x.bool()), "x.dtype=torch.bool is not supported: max_pool2d expects one of float"),
    (max_pool(x=x[:, :0]), "x.shape=(1, 0, 5, 5) has no cells: max_pool2d expects C, H and W of"),
    (max_pool(x=x[0, 0]), "x.shape=(5, 5) has 2 dimensions: max_pool2d expects (N, C, H, W)"),
    (max_pool(x=[[1, 2], [3, 4]]), "x=[[1, 2], [3, 4]] is of type list: it must be a torch.Tensor"),
    (avg_pool(x=x.int()), "x.dtype=torch.int32 is not supported: avg_pool2d expects one of float"),
    (avg_pool(count_include_pad=None), "count_include_pad=None is not a bool: it must be True or"),
    (avg_pool(divisor_override=0), "divisor_override=0 cannot divide: it must be another integer"),
    (avg_pool(divisor_override=0.5), "divisor_override=0.5 is not a whole number"),
    (conv(x=x.numpy()), "is of type ndarray: it must be a torch.Tensor"),
    (conv(x=x[0, 0]), "x.shape=(5, 5) has 2 dimensions: conv2d expects (N, C, H, W), or (C, H, W)"),
    (conv(x=x[:, :, :0]), "x.shape=(1, 4, 0, 5) has no cells: conv2d expects"),
    (
        conv(x=x[:, :3]),
        "weight.shape=(6, 4, 2, 2) does not fit x.shape=(1, 3, 5, 5) with groups=1: ",
    ),
    (conv(x=x[:, :3]), "weight.shape[1] must be C_in / groups = 3"),
    (conv(weight=None), "weight=None is of type NoneType: it must be a torch.Tensor"),
    (conv(weight=weight[0]), "weight.shape=(4, 2, 2) has 3 dimensions: expected (C_out, C_in / "),
    (conv(weight=weight[:0]), "weight.shape=(0, 4, 2, 2) has no output channel: weight.shape[0] ="),
    (conv(weight=weight[..., :0]), "weight.shape=(6, 4, 2, 0) has an empty kernel: K_h and K_w"),
    (
        conv(weight=weight.double()),
        "weight.dtype=torch.float64 differs from x.dtype=torch.float32: use weight.to(x.dtype)",
    ),
    (
        conv(weight=weight.to("meta")),
        "weight.device=meta differs from x.device=cpu: use weight.to(x.device)",
    ),
    (
        conv(weight=torch.zeros(6, 4, 6, 1)),
        "kernel_size=6 is too large for size=5: with dilation=1",
    ),
    (conv(bias=torch.zeros(5)), "bias.shape=(5,) does not fit C_out=6: it must be (C_out,) = (6,)"),
    (conv(bias=torch.zeros(6).long()), "bias.dtype=torch.int64 differs from x.dtype=torch.float32"),
    (conv(bias=0), "bias=0 is of type int: it must be a torch.Tensor"),
    (conv(stride=0), "stride=0 is too small: it must be at least 1"),
    (conv(stride=True), "stride=True is not a whole number: it must be an int, such as stride=1"),
    (conv(stride=(1, 1.5)), "stride=(1, 1.5) is not made of whole numbers: it must be an int"),
    (conv(stride=(1, 2, 3)), "stride=(1, 2, 3) has 3 entries: give one integer, or two for height"),
    (
        conv(padding="full"),
        "padding='full' is unknown: it must be an int, a pair, 'same' or 'valid",
    ),
    (conv(padding="same", stride=2), "padding='same' does not work with stride=2: use stride=1"),
    (conv(dilation=5), "kernel_size=2 is too large for size=5: with dilation=5 it covers 6 cells"),
    (conv(groups=0), "groups=0 is too small: it must be at least 1"),
    (conv(groups=3), "groups=3 does not divide C_in=4: groups must be a divisor of C_in"),
    (conv(groups=4), "groups=4 does not divide C_out=6: groups must be a divisor of C_out"),
    (transposed(padding="same"), "padding='same' is not a whole number: it must be an int"),
    (
        transposed(padding=3),
        "padding=3 is too large: it is cut off each side of 6 × 6 cells, so at",
    ),
    (transposed(padding=3), "so at most 2 leaves any"),
    (transposed(output_padding=1), "output_padding=1 is too large for stride=1 and dilation=1: it"),
    (transposed(stride=2, output_padding=2), "must be smaller than one of them, so at most 1"),
    (transposed(weight=weight), "weight.shape=(6, 4, 2, 2) does not fit x.shape=(1, 4, 5, 5): "),
    (transposed(weight=torch.zeros(4, 0, 2, 2)), "weight.shape=(4, 0, 2, 2) has no output channel"),
    (transposed(groups=3), "groups=3 does not divide C_in=4: groups must be a divisor of C_in"),
    (size(size=0), "size=0 is too small: it must be at least 1"),
    (size(kernel_size=(2, 2)), "kernel_size=(2, 2) is not a whole number"),
    (size(stride=nan), "stride=nan is not a whole number: it must be an int, such as stride=1"),
    (size(padding="same", stride=2), "padding='same' does not work with stride=2: use stride=1"),
    (size(ceil_mode="yes"), "ceil_mode='yes' is not a bool: it must be True or False"),
    (
        size(kernel_size=4, dilation=2),
        "kernel_size=4 is too large for size=5: with dilation=2 it covers 7 cells, "
        "and with padding=0 there are only 5",
    ),
    (
        conv_backward(grad_output=x),
        "grad_output.shape=(1, 4, 5, 5) does not fit x.shape=(1, 4, 5, 5): "
        "with these options the output has the shape (1, 6, 4, 4)",
    ),
    (
        conv_backward(x=x.long(), weight=weight.long()),
        "x.dtype=torch.int64 is not supported: conv2d",
    ),
    (
        conv_backward(grad_output=torch.zeros(1, 6, 4, 4).double()),
        "grad_output.dtype=torch.float64 differs from x.dtype=torch.float32",
    ),
    (pool_backward(grad_output=None), "grad_output=None is of type NoneType: it must be a torch.T"),
    (
        pool_backward(x=x[0]),
        "does not fit x.shape=(4, 5, 5): with these options the output has the",
    ),
    (
        pool_backward(x=x.long()),
        "x.dtype=torch.int64 is not supported: max_pool2d_backward expects",
    ),
]


@pytest.mark.parametrize(("call", "words"), REFUSED, ids=[words[:40] for _, words in REFUSED])
def test_an_illegal_argument_is_refused_in_a_sentence(call, words):
    operation, arguments = call
    with pytest.raises(ValueError) as refusal:  # noqa: PT011
        operation(**arguments)
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint16, torch.float8_e4m3fn])
@pytest.mark.parametrize("call", [conv, transposed, max_pool, avg_pool])
def test_a_dtype_that_torch_cannot_compute_with_is_refused(call, dtype):
    operation, arguments = call(x=x.to(dtype))
    with pytest.raises(ValueError, match=f"x.dtype={dtype} is not supported"):
        operation(**arguments)


def test_im2col_refuses_what_conv2d_refuses():
    for operation, arguments in (call for call, _ in REFUSED if call[0] is ops.conv2d):
        with pytest.raises(ValueError) as expected:  # noqa: PT011
            operation(**arguments)
        with pytest.raises(ValueError) as refusal:  # noqa: PT011
            ops.conv2d_im2col(**arguments)
        assert str(refusal.value) == str(expected.value)


@pytest.mark.parametrize(
    "call", [conv(), transposed(), max_pool(), avg_pool(), size(), conv_backward(), pool_backward()]
)
def test_the_arguments_that_each_refusal_changes_are_legal(call):
    operation, arguments = call
    operation(**arguments)
