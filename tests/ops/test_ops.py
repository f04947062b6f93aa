"""Every operation equals torch in float64 over its whole domain, and refuses what torch refuses."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import ops

FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
TOLERANCE = {torch.float16: 2e-2, torch.bfloat16: 1e-1, torch.float32: 1e-4, torch.float64: 1e-10}
seeds = st.integers(0, 2**32 - 1)
small = st.integers(1, 3)
sizes = st.tuples(st.integers(1, 6), st.integers(1, 6))
kernels = st.tuples(small, small)
every_option = settings(deadline=None)


def option(lowest, highest):
    """An int, a list of one or a pair: mostly legal, now and then too small."""
    number = st.integers(lowest, highest) | st.integers(lowest - 1, highest)
    return number | st.tuples(number, number) | st.lists(number, min_size=1, max_size=1)


def random(*shape, dtype=torch.float64):
    return torch.randn(*shape, dtype=torch.float64).to(dtype)


def assert_close(ours, reference, tolerance=1e-10):
    if not isinstance(reference, tuple):
        ours, reference = (ours,), (reference,)
    for one, other in zip(ours, reference, strict=True):
        torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance, equal_nan=True)


def assert_agree(ours, reference):
    """Both give the same numbers, or torch raises and ours raises ValueError."""
    try:
        expected = reference()
    except (RuntimeError, TypeError, ValueError):
        with pytest.raises(ValueError, match=r"(?s).=.*: "):
            ours()
    else:
        assert_close(ours(), expected)


@st.composite
def conv_cases(draw, transposed=False):
    """x, weight, bias and options of a convolution: mostly legal, with a batch or without."""
    torch.manual_seed(draw(seeds))
    groups, per_group_in, per_group_out = draw(small), draw(st.integers(1, 2)), draw(small)
    c_in, c_out = groups * per_group_in, groups * per_group_out
    x = random(*draw(st.sampled_from([(), (1,), (2,)])), c_in, *draw(sizes))
    channels = (c_in, per_group_out) if transposed else (c_out, per_group_in)
    weight = random(*channels, *draw(kernels))
    bias = draw(st.sampled_from([None, random(c_out)]))
    options = {"stride": draw(option(1, 3)), "dilation": draw(option(1, 3))}
    options["groups"] = draw(st.just(groups) | st.integers(-1, 4))
    options["padding"] = draw(option(0, 3))
    if transposed:
        options["output_padding"] = draw(st.just(0) | option(0, 2))
    elif draw(st.booleans()):
        options["padding"] = draw(st.sampled_from(["same", "valid"]))
        options["stride"] = draw(st.just(1) | small)
    return x, weight, bias, options


@st.composite
def pool_cases(draw, dilated=True):
    """x and options of a pooling; half of the images have ties, NaN and infinities."""
    torch.manual_seed(draw(seeds))
    x = random(*draw(st.sampled_from([(), (1,), (2,)])), draw(st.integers(1, 2)), *draw(sizes))
    if draw(st.booleans()):
        x = torch.tensor([-1, 0, 1, -torch.inf, torch.inf, torch.nan])[torch.randint(6, x.shape)]
    options = {"kernel_size": draw(option(1, 4)), "stride": draw(st.none() | option(1, 4))}
    options["padding"] = draw(st.just(0) | option(0, 2))
    options["ceil_mode"] = draw(st.booleans())
    if dilated:
        options["dilation"] = draw(st.just(1) | option(1, 3))
    return x, options


@every_option
@given(conv_cases())
def test_conv2d_and_im2col_equal_torch(case):
    x, weight, bias, options = case
    for ours in (ops.conv2d, ops.conv2d_im2col):
        assert_agree(
            lambda ours=ours: ours(x, weight, bias, **options),
            lambda: F.conv2d(x, weight, bias, **options),
        )


@every_option
@given(conv_cases(transposed=True))
def test_conv_transpose2d_equals_torch(case):
    x, weight, bias, options = case
    assert_agree(
        lambda: ops.conv_transpose2d(x, weight, bias, **options),
        lambda: F.conv_transpose2d(x, weight, bias, **options),
    )


@every_option
@given(conv_cases())
def test_conv2d_backward_equals_autograd(case):
    x, weight, _, options = case
    grad_output = torch.zeros(1)

    def reference():
        nonlocal grad_output
        inputs = [
            tensor.clone().requires_grad_() for tensor in (x, weight, random(weight.shape[0]))
        ]
        output = F.conv2d(*inputs, **options)
        grad_output = torch.randn_like(output)
        return torch.autograd.grad(output, inputs, grad_output)

    assert_agree(lambda: ops.conv2d_backward(x, weight, grad_output, **options), reference)


@every_option
@given(pool_cases())
def test_max_pool2d_equals_torch_in_values_and_indices(case):
    x, options = case
    assert_agree(
        lambda: ops.max_pool2d(x, **options, return_indices=True),
        lambda: F.max_pool2d(x, **options, return_indices=True),
    )


@every_option
@given(pool_cases())
def test_max_pool2d_backward_equals_autograd(case):
    x, options = case
    grad_output = torch.zeros(1)

    def reference():
        nonlocal grad_output
        leaf = x.clone().requires_grad_()
        output, indices = F.max_pool2d(leaf, **options, return_indices=True)
        grad_output = torch.randn_like(output)
        if indices.max() >= x.shape[-2] * x.shape[-1]:
            # A dilated window that jumps over the image: torch writes outside its memory.
            return ops.max_pool2d_backward(x, grad_output, **options)
        return torch.autograd.grad(output, leaf, grad_output)[0]

    assert_agree(lambda: ops.max_pool2d_backward(x, grad_output, **options), reference)


@every_option
@given(pool_cases(dilated=False), st.booleans(), st.none() | st.integers(-3, 3))
def test_avg_pool2d_equals_torch(case, count_include_pad, divisor_override):
    x, options = case
    options |= {"count_include_pad": count_include_pad, "divisor_override": divisor_override}
    assert_agree(lambda: ops.avg_pool2d(x, **options), lambda: F.avg_pool2d(x, **options))


@every_option
@given(st.integers(0, 9), *[st.integers(0, 4)] * 4, st.booleans())
def test_output_size_is_the_size_that_torch_returns(size, kernel, stride, padding, dilation, ceil):
    padding = min(padding, kernel // 2)  # the most that max pooling takes
    x = torch.zeros(1, 1, size, size)
    options = (kernel, stride, padding, dilation, ceil)
    try:
        expected = F.max_pool2d(x, *options).shape[-1]
    except RuntimeError:
        with pytest.raises(ValueError, match=r"at least 1|too large"):
            ops.output_size(size, *options)
    else:
        assert ops.output_size(size, *options) == expected


@pytest.mark.parametrize("kernel_size", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_same_padding_keeps_the_size(kernel_size, dilation):
    assert ops.output_size(5, kernel_size, padding="same", dilation=dilation) == 5
    assert ops.output_size(28, kernel_size, padding="valid") == 29 - kernel_size


def test_convolution_of_the_worked_example():
    x = torch.arange(1.0, 10).reshape(1, 1, 3, 3)
    kernel = torch.tensor([[[[1.0, 2], [3, 4]]]])
    for conv2d in (ops.conv2d, ops.conv2d_im2col):
        assert conv2d(x, kernel).squeeze().tolist() == [[37, 47], [67, 77]]
        assert conv2d(x, kernel.flip(2, 3)).squeeze().tolist() == [[23, 33], [53, 63]]


def test_an_option_may_be_an_int_a_pair_a_list_or_a_numpy_integer():
    x, weight = random(2, 3, 7, 7), random(4, 3, 2, 2)
    expected = ops.conv2d(x, weight, stride=2, padding=1)
    for two in ((2, 2), [2], np.int64(2), torch.tensor(2), torch.Size([2, 2])):
        assert_close(ops.conv2d(x, weight, stride=two, padding=(1,)), expected)
    assert_close(ops.max_pool2d(x, [2], stride=[]), F.max_pool2d(x, 2))


@pytest.mark.parametrize("dtype", FLOATS)
def test_every_float_dtype_is_kept_and_sums_are_rounded_once(dtype):
    torch.manual_seed(0)
    x, weight, bias = (random(*shape, dtype=dtype) for shape in ((2, 4, 9, 8), (6, 2, 3, 2), (6,)))
    options = {"padding": 1, "stride": 2, "groups": 2}
    tolerance = TOLERANCE[dtype]
    expected = F.conv2d(x, weight, bias, **options)
    assert_close(ops.conv2d(x, weight, bias, **options), expected, tolerance)
    assert_close(ops.conv2d_im2col(x, weight, bias, **options), expected, tolerance)
    expected_back = F.conv_transpose2d(expected, weight, **options)
    assert_close(ops.conv_transpose2d(expected, weight, **options), expected_back, tolerance)
    leaves = [tensor.clone().requires_grad_() for tensor in (x, weight, bias)]
    gradients = torch.autograd.grad(F.conv2d(*leaves, **options), leaves, expected)
    assert_close(ops.conv2d_backward(x, weight, expected, **options), gradients, 5 * tolerance)
    assert_close(ops.avg_pool2d(x, 3, 2, 1), F.avg_pool2d(x, 3, 2, 1), tolerance)
    pooled = F.max_pool2d(leaves[0], 3, 2, 1)
    assert torch.equal(ops.max_pool2d(x, 3, 2, 1), pooled)
    (gradient,) = torch.autograd.grad(pooled, leaves[0], torch.ones_like(pooled))
    assert_close(ops.max_pool2d_backward(x, torch.ones_like(pooled), 3, 2, 1), gradient, tolerance)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64])
def test_integers_stay_integers(dtype):
    torch.manual_seed(0)
    x, weight = torch.randint(-99, 99, (1, 2, 5, 4)).to(dtype), torch.ones(3, 2, 2, 2, dtype=dtype)
    assert torch.equal(ops.conv2d(x, weight, padding=1), F.conv2d(x, weight, padding=1))
    assert torch.equal(ops.conv2d_im2col(x, weight), F.conv2d(x, weight))
    assert torch.equal(ops.max_pool2d(x, 2, padding=1), F.max_pool2d(x, 2, padding=1))
    if dtype == torch.int64:
        assert torch.equal(ops.avg_pool2d(x, 3, 1, 1), F.avg_pool2d(x, 3, 1, 1))
        transposed = ops.conv_transpose2d(x, weight[:2])
        assert torch.equal(transposed, F.conv_transpose2d(x, weight[:2]))


def test_complex_numbers_have_a_convolution_and_its_gradients():
    torch.manual_seed(0)
    x = torch.randn(1, 2, 4, 4, dtype=torch.complex128, requires_grad=True)
    weight = torch.randn(3, 2, 2, 2, dtype=torch.complex128, requires_grad=True)
    output = F.conv2d(x, weight)
    assert_close(ops.conv2d(x, weight), output)
    gradients = torch.autograd.grad(output, (x, weight), output)
    assert_close(ops.conv2d_backward(x, weight, output.detach())[:2], gradients)


def test_a_batch_of_no_images_is_legal():
    x, weight = random(0, 2, 5, 5), random(3, 2, 2, 2)
    assert ops.conv2d(x, weight).shape == ops.conv2d_im2col(x, weight).shape == (0, 3, 4, 4)
    assert ops.conv_transpose2d(x, weight.transpose(0, 1)).shape == (0, 3, 6, 6)
    assert ops.max_pool2d(x, 2).shape == ops.avg_pool2d(x, 2).shape == (0, 2, 2, 2)
    assert ops.max_pool2d_backward(x, random(0, 2, 2, 2), 2).shape == x.shape
    grad_x, grad_weight, grad_bias = ops.conv2d_backward(x, weight, random(0, 3, 4, 4))
    assert grad_x.shape == x.shape
    assert not grad_weight.any()
    assert not grad_bias.any()


def test_a_sum_over_no_channels_is_zero():
    x, weight, bias = random(2, 0, 4, 4), random(3, 0, 2, 2), random(3)
    expected = bias[:, None, None].expand(2, 3, 3, 3)
    assert_close(ops.conv2d(x, weight, bias), expected)
    assert_close(ops.conv2d_im2col(x, weight, bias), expected)


def test_max_pool_ignores_padding_cells():
    x = torch.full((1, 1, 2, 2), -5)
    assert ops.max_pool2d(x, 2, padding=1).unique().tolist() == [-5]
    empty = torch.full((1, 1, 2, 2), -torch.inf)
    values, indices = ops.max_pool2d(empty, 2, padding=1, return_indices=True)
    assert torch.equal(values, empty)
    assert indices.flatten().tolist() == [0, 1, 2, 3]


def test_the_first_of_equal_numbers_takes_the_whole_gradient():
    x = torch.tensor([[[[3.0, 7, 7], [7, 7, 7]]]])
    grad_x = ops.max_pool2d_backward(x, torch.ones(1, 1, 1, 2), 2, stride=1)
    assert grad_x.squeeze().tolist() == [[0, 2, 0], [0, 0, 0]]  # and two windows add up


@pytest.mark.parametrize(
    ("operation", "shapes"),
    [
        (lambda *t: ops.conv2d(*t, stride=2, padding="valid"), [(2, 2, 5, 4), (2, 2, 2, 3), (2,)]),
        (lambda *t: ops.conv2d_im2col(*t, padding="same", groups=2), [(4, 4, 3), (2, 2, 2, 2)]),
        (lambda *t: ops.conv_transpose2d(*t, stride=2), [(1, 2, 2, 3), (2, 2, 2, 2), (2,)]),
        (lambda *t: ops.conv2d_backward(*t), [(1, 1, 3, 3), (1, 1, 2, 2), (1, 1, 2, 2)]),
        (lambda x: ops.max_pool2d(x, 3, 2, 1), [(1, 2, 5, 4)]),
        (lambda x: ops.avg_pool2d(x, 3, 2, 1, ceil_mode=True), [(1, 2, 5, 4)]),
    ],
)
def test_gradients_flow_through(operation, shapes):
    torch.manual_seed(0)
    assert torch.autograd.gradcheck(operation, [random(*s).requires_grad_() for s in shapes])
