"""Lesson 10, exercise 3: A LoRA layer."""

import copy

import torch
import torch.nn.functional as F
from torch import nn

from course_utils.checks.engine import Case, Exercise, Mistakes
from course_utils.checks.lesson_10._trial import Trial

LORA = "lesson 10, 'A small correction'"


class _Adapting(Trial):
    def __call__(self, in_features, out_features, rank):
        """What a layer is like, in numbers that do not depend on how its matrices were drawn.

        At the start: 1 if it gives what the old layer gives, −1 if only 0. How many parameters
        learn. After training: 1 if the output has changed (−1 if none of them matters); 1 if the
        old layer has not (−1 if `merged()` changed it); 1 if the merged layer gives the same (−1 if
        it is the old one, −2 if only the bias is missing, nan if there is none).
        """
        with torch.random.fork_rng([]):
            torch.manual_seed(in_features)
            layer = nn.Linear(in_features, out_features)
            old, x = copy.deepcopy(layer), torch.randn(3, in_features)
            adapted = self.answer(layer, rank)
            with torch.no_grad():
                before, started = old(x), adapted(x)
            if started is None or started is ...:
                return NotImplemented
            start = 1 if _equal(started, before) else -1 if _equal(started, 0 * before) else 0
            learning = [p for p in adapted.parameters() if p.requires_grad]
            depends = _train(adapted, learning, x)
            with torch.no_grad():
                trained = adapted(x)
                kept = 1 if torch.equal(layer.weight, old.weight) else 0
                weight = layer.weight.clone()
                merged = _outputs(adapted.merged(), x, old)
                if not torch.equal(layer.weight, weight):
                    kept = -1
        learned = -1 if not depends else 0 if _equal(trained, started) else 1
        code = _merge_code(merged, trained, before, old)
        return start, sum(p.numel() for p in learning), learned, kept, code


def _train(adapted, learning, x):
    """Three small steps towards 1. Returns: whether the output depends on what should learn."""
    if not learning:
        return True
    for _ in range(3):
        output = adapted(x)
        if not output.requires_grad:
            return False
        loss = ((output - 1) ** 2).mean()
        gradients = torch.autograd.grad(loss, learning, allow_unused=True)
        for parameter, gradient in zip(learning, gradients, strict=True):
            if gradient is not None:
                parameter.data -= 0.1 * gradient
    return True


def _outputs(merged, x, old):
    """What the merged layer gives; a weight alone is taken with the old bias."""
    if isinstance(merged, torch.Tensor):
        return F.linear(x, merged, old.bias)
    return merged(x) if callable(merged) else None


def _merge_code(merged, trained, before, old):
    if merged is None:
        return float("nan")
    codes = {1: trained, -1: before, -2: trained - old.bias}
    return next((code for code, wanted in codes.items() if _equal(merged, wanted)), 0)


def _equal(one, other):
    return one.shape == other.shape and torch.allclose(one, other, atol=1e-5)


class _LoRA(nn.Module):
    """The reference, with what the wrong ones below change."""

    def __init__(self, layer, rank):
        super().__init__()
        self.layer = layer.requires_grad_(False)
        self.down = nn.Parameter(torch.randn(rank, layer.in_features) / layer.in_features**0.5)
        self.up = nn.Parameter(torch.zeros(layer.out_features, rank))

    def forward(self, x):
        return self.layer(x) + x @ self.down.T @ self.up.T

    def merged(self):
        merged = copy.deepcopy(self.layer)
        merged.weight.data += self.up.detach() @ self.down.detach()
        return merged


class _BothRandom(_LoRA):
    def __init__(self, layer, rank):
        super().__init__(layer, rank)
        nn.init.normal_(self.up)


class _BothZero(_LoRA):
    def __init__(self, layer, rank):
        super().__init__(layer, rank)
        nn.init.zeros_(self.down)


class _NotFrozen(_LoRA):
    def __init__(self, layer, rank):
        super().__init__(layer, rank)
        self.layer.requires_grad_(True)


class _PlainTensors(_LoRA):
    def __init__(self, layer, rank):
        super().__init__(layer, rank)
        for name in ("down", "up"):
            tensor = getattr(self, name).detach()
            delattr(self, name)
            setattr(self, name, tensor)


class _FullRank(_LoRA):
    def __init__(self, layer, rank):
        super().__init__(layer, rank)
        del self.down, self.up
        self.extra = nn.Parameter(torch.zeros_like(layer.weight))

    def forward(self, x):
        return self.layer(x) + x @ self.extra.T

    def merged(self):
        return self.layer.weight + self.extra


class _CorrectionOnly(_LoRA):
    def forward(self, x):
        return x @ self.down.T @ self.up.T

    def merged(self):
        merged = nn.Linear(self.layer.in_features, self.layer.out_features, bias=False)
        merged.weight.data = self.up.detach() @ self.down.detach()
        return merged


class _NoCorrection(_LoRA):
    def forward(self, x):
        return self.layer(x)

    def merged(self):
        return self.layer


class _BiasedPair(_LoRA):
    def __init__(self, layer, rank):
        super().__init__(layer, rank)
        del self.down, self.up
        self.lower = nn.Linear(layer.in_features, rank)
        self.upper = nn.Linear(rank, layer.out_features)
        nn.init.zeros_(self.upper.weight)
        nn.init.zeros_(self.upper.bias)

    def forward(self, x):
        return self.layer(x) + self.upper(self.lower(x))

    def merged(self):
        merged = copy.deepcopy(self.layer)
        merged.weight.data += self.upper.weight @ self.lower.weight
        merged.bias.data += self.upper(self.lower.bias)
        return merged


class _OneRankOnly(_LoRA):
    def __init__(self, layer, rank):
        super().__init__(layer, 1)


class _MergedIsOld(_LoRA):
    def merged(self):
        return copy.deepcopy(self.layer)


class _MergedWithoutBias(_LoRA):
    def merged(self):
        merged = nn.Linear(self.layer.in_features, self.layer.out_features, bias=False)
        merged.weight.data = super().merged().weight.data
        return merged


class _MergedInPlace(_LoRA):
    def merged(self):
        self.layer.weight.data += self.up.detach() @ self.down.detach()
        return self.layer


class _MergedReturnsNothing(_LoRA):
    def merged(self):
        super().merged()


class _MergedSubtracts(_LoRA):
    def merged(self):
        merged = copy.deepcopy(self.layer)
        merged.weight.data -= self.up.detach() @ self.down.detach()
        return merged


mistake = Mistakes()
mistake.value(
    "both_random",
    _BothRandom,
    "At the start it does not give what the old layer gives. One of the two matrices has "
    "to be zero, so that nothing is added yet.",
)
mistake.value(
    "both_zero",
    _BothZero,
    "It never learns. With two zero matrices each one's gradient is multiplied by the "
    "other, which is zero: draw one of them at random.",
)
mistake.value(
    "old_layer_learns", _NotFrozen, "The old layer learns, too. Only the two small matrices should."
)
mistake.value(
    "no_parameters",
    _PlainTensors,
    "Nothing learns: the matrices are plain tensors, which an optimizer does not find. "
    "Wrap them in `nn.Parameter`.",
)
mistake.value(
    "full_rank",
    _FullRank,
    "The correction is a full matrix, with as many numbers as the layer itself. Make it "
    "the product of two thin ones.",
)
mistake.value("rank_ignored", _OneRankOnly, "The rank is always 1: `rank` plays no part.")
mistake.value(
    "correction_only",
    _CorrectionOnly,
    "The output of the old layer is missing: the correction is added to it.",
)
mistake.value(
    "correction_unused",
    _NoCorrection,
    "There are two matrices, but the output does not depend on them.",
)
mistake.value(
    "biased_pair",
    _BiasedPair,
    "Too many numbers learn: the pair has biases. The old layer has one already.",
)
mistake.value(
    "merged_is_old",
    _MergedIsOld,
    "`merged()` gives the old layer. The correction is not in its weight.",
)
mistake.value(
    "merged_without_bias", _MergedWithoutBias, "`merged()` has lost the bias of the old layer."
)
mistake.value(
    "merged_in_place",
    _MergedInPlace,
    "`merged()` changes the old layer itself, so from then on the correction counts twice. "
    "Work on a copy.",
)
mistake.value(
    "merged_returns_nothing",
    _MergedReturnsNothing,
    "`merged()` returned None. Is its last line a `return`?",
)
mistake.value(
    "merged_subtracts",
    _MergedSubtracts,
    "The merged layer gives other numbers than `forward`. Look at both its weight and its bias.",
)


lora_linear = Exercise(
    name="lora_linear",
    lesson=LORA,
    reference=_LoRA,
    prepare=_Adapting,
    cases=(Case((6, 5, 2)), Case((7, 9, 3))),
    mistakes=mistake,
)
