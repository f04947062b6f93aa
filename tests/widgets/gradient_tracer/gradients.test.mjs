// GradientTracer's arithmetic gives torch's numbers and gradients, and Python's sentences.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  fillOrder,
  finiteDifference,
  gradientTerms,
  refuseTrace,
  sourceValue,
  traceBackward,
  traceForward,
} from "../../../course_utils/widgets/gradient_tracer/gradients.js";
import {
  explainForward,
  explainGradient,
  joinWords,
  writeSum,
} from "../../../course_utils/widgets/gradient_tracer/words.js";
import { formatNumber } from "../../../course_utils/widgets/shared/numbers.js";

const cases = JSON.parse(readFileSync(process.env.CASES));
const legal = cases.filter((one) => one.stages);
const illegal = cases.filter((one) => one.sentence);

function near(got, expected) {
  if (Array.isArray(expected)) {
    assert.equal(got.length, expected.length);
    got.forEach((value, i) => near(value, expected[i]));
  } else {
    const close = Math.abs(got - expected) <= 1e-9 * (1 + Math.abs(expected));
    assert.ok(close, `${got} is not ${expected}`);
  }
}

function trace(state) {
  const forward = traceForward(state);
  return { forward, gradients: traceBackward(state, forward) };
}

test("there are cases of both kinds, and of every kind of pooling, loss and source", () => {
  assert.ok(legal.length > 200 && illegal.length > 40);
  for (const pooling of ["max", "average", "none"])
    for (const loss of ["sum", "squared error"])
      for (const whole of [true, false])
        assert.ok(
          legal.filter(({ state }) => state.pooling === pooling && state.loss === loss)
            .filter(({ state }) => (state.source === "loss") === whole).length > 7,
        );
  assert.ok(legal.filter((one) => one.ties).length > 50, "ties");
  assert.ok(legal.filter(({ state }) => state.pool_stride < state.pool_size).length > 50, "overlaps");
});

test("the forward pass is torch's", () => {
  for (const { state, stages } of legal) {
    const { z, a, y, loss } = traceForward(state);
    near([z, a, y, loss], [stages.z, stages.a, stages.y, stages.loss]);
  }
});

test("every gradient is torch's, ties, overlaps and shut ReLUs included", () => {
  for (const { state, gradients } of legal) {
    const got = trace(state).gradients;
    for (const name of ["y", "a", "z", "x", "W"]) near(got[name], gradients[name]);
    near(got.b, [[gradients.b]]);
  }
});

test("what does not fit is refused in the words of Python, and nothing else is", () => {
  for (const { state, sentence } of illegal) assert.equal(refuseTrace(state), sentence);
  for (const { state } of legal) assert.equal(refuseTrace(state), null);
});

test("no number that is shown or written is NaN, undefined or minus zero", () => {
  for (const { state } of legal.filter((_, i) => i % 4 === 0)) {
    const { forward, gradients } = trace(state);
    for (const { name, row, column } of fillOrder(gradients)) {
      const { text, cells } = explainGradient(state, forward, gradients, name, row, column);
      assert.doesNotMatch(text, /NaN|undefined|null|nan/, text);
      assert.ok(!Object.is(gradients[name][row][column], -0));
      const where = { ...forward, x: forward.padded, W: state.kernel, L: [[0]] };
      for (const key of ["y", "a", "z"]) where[`d${key}`] = gradients[key];
      for (const [grid, places] of Object.entries(cells))
        for (const [i, j] of places) assert.equal(typeof where[grid][i][j], "number");
    }
    for (const [name, grid] of Object.entries({ x: forward.padded, W: state.kernel, b: [[0]], L: [[0]] }).concat(
      ["z", "a", "y", "t"].map((name) => [name, forward[name]]),
    ))
      grid.forEach((line, i) =>
        line.forEach((_, j) => {
          const { text } = explainForward(state, forward, name, i, j);
          assert.doesNotMatch(text, /NaN|undefined|null|nan/, text);
        }),
      );
  }
});

/** The value of a written sum such as "1·4 + 0·2 + (−3)/4". */
function read(sum) {
  const number = (text) => Number(text.replace(/[()]/g, "").replace("−", "-"));
  return sum.split(" + ").reduce((total, term) => {
    const [one, other] = term.split("·");
    if (other !== undefined) return total + number(one) * number(other);
    const [part, whole] = term.split("/");
    return total + number(part) / (whole === undefined ? 1 : number(whole));
  }, 0);
}

test("a written sum adds up to the gradient, with all terms up to nine", () => {
  let long = 0;
  for (const { state } of legal.filter((one) => one.whole && one.state.pooling !== "average")) {
    const { forward, gradients } = trace(state);
    for (const name of ["W", "x", "b"])
      gradients[name].forEach((line, row) =>
        line.forEach((value, column) => {
          const terms = gradientTerms(state, forward, gradients, name, row, column);
          const { text } = explainGradient(state, forward, gradients, name, row, column);
          const parts = text.split(", the sum of")[0].split(" = ").slice(1);
          if (parts.length === 2) {
            near(read(parts[0]), value);
            const zeros = terms.filter(({ up, local }) => up * local === 0).length;
            const written = parts[0].split(" + ").length;
            assert.equal(written, terms.length > 9 ? terms.length - zeros : terms.length);
            if (terms.length > 9 && zeros) {
              long += 1;
              assert.match(text, new RegExp(`\\(${zeros} terms? that (is|are) 0 left out\\)`));
            }
          } else assert.equal(value, 0);
        }),
      );
  }
  assert.ok(long > 20);
});

test("the finite difference agrees with the gradient wherever there is no corner", () => {
  let compared = 0;
  for (const { state, smooth, gradients } of legal.filter((one) => one.smooth)) {
    const got = trace(state).gradients;
    for (const name of ["x", "W", "b"]) {
      const grid = name === "b" ? [[gradients.b]] : gradients[name];
      const { value, agrees } = finiteDifference(state, name, 0, 0, got[name][0][0]);
      assert.ok(agrees && smooth);
      assert.ok(Math.abs(value - grid[0][0]) <= 1e-4 * (1 + Math.abs(grid[0][0])));
      compared += 1;
    }
  }
  assert.ok(compared > 100);
});

const plain = { bias: 0, stride: 1, padding: 0, pooling: "max", pool_size: 2, pool_stride: 1 };
const corner = { ...plain, input: [[7, 7, 1]], kernel: [[1]], loss: "sum", target: null, source: "loss" };

test("at a tie the finite difference need not agree", () => {
  const state = { ...corner, input: [[7, 7], [1, 0]] };
  const { gradients } = trace(state);
  assert.deepEqual(gradients.x, [[1, 0], [0, 0]]);
  const { value, agrees } = finiteDifference(state, "x", 0, 0, 1);
  assert.equal(agrees, false);
  near(Math.round(value * 1e6) / 1e6, 0.5);
});

test("overlaps, ties, losers and shut cells are told as a person tells them", () => {
  const state = { ...corner, input: [[7, 7, 1], [0, -2, 3]] };
  const { forward, gradients } = trace(state);
  const say = (name, row, column) =>
    explainGradient(state, forward, gradients, name, row, column).text;
  assert.deepEqual(gradients.a, [[1, 1, 0], [0, 0, 0]]);
  assert.equal(
    say("a", 0, 1),
    "dL/da[0, 1] = 1, from output (0, 1); tie: 7 stands at (0, 0) and (0, 1); " +
      "the first in reading order takes it.",
  );
  assert.equal(say("a", 1, 2), "dL/da[1, 2] = 0: 7 at (0, 1) wins output (0, 1).");
  assert.equal(say("z", 1, 1), "dL/dz[1, 1] = dL/da[1, 1]·0 = 0·0 = 0: ReLU is shut, z = −2 < 0.");
  assert.match(say("z", 1, 0), /ReLU is shut, z = 0, where torch takes the slope 0\.$/);
  assert.match(say("W", 0, 0), /^dL\/dW\[0, 0\] = 1·7 \+ 1·7 \+ 0·1 \+ 0·0 \+ 0·\(−2\) \+ 0·3 = 14,/);
  const three = { ...corner, input: [[1, 2, 1], [0, 0, 0]] };
  const other = trace(three);
  assert.equal(
    explainGradient(three, other.forward, other.gradients, "a", 0, 1).text,
    "dL/da[0, 1] = 1 + 1 = 2, from outputs (0, 0) and (0, 1).",
  );
  const mean = { ...three, pooling: "average", source: [0, 1] };
  const averaged = trace(mean);
  assert.equal(
    explainGradient(mean, averaged.forward, averaged.gradients, "a", 0, 1).text,
    "dy[0, 1]/da[0, 1] = 0/4 + 1/4 = 0.25, from outputs (0, 0) and (0, 1).",
  );
  const apart = { ...three, input: [[1, 2, 5], [0, 0, 0]], pool_stride: 3 };
  const left = trace(apart);
  assert.equal(
    explainGradient(apart, left.forward, left.gradients, "a", 0, 2).text,
    "dL/da[0, 2] = 0: no pooling window covers this cell.",
  );
});

test("the forward numbers are told with their sums", () => {
  const state = { ...corner, input: [[7, 7, 1], [0, -2, 3]], kernel: [[2]], bias: -1, loss: "squared error" };
  const forward = traceForward(state);
  const say = (name, row, column) => explainForward(state, forward, name, row, column).text;
  assert.equal(say("z", 1, 1), "z[1, 1] = (−2)·2 + (−1) = −5.");
  assert.equal(say("a", 1, 1), "a[1, 1] = max(0, −5) = 0: ReLU is shut.");
  assert.equal(
    say("y", 0, 0),
    "y[0, 0] = max(13, 13, 0, 0) = 13, tie: 13 stands at (0, 0) and (0, 1); " +
      "the first in reading order takes it.",
  );
  assert.equal(say("y", 0, 1), "y[0, 1] = max(13, 1, 0, 5) = 13, from a[0, 1].");
  assert.equal(say("L", 0, 0), "L = (13 − 0)² + (13 − 0)² = 338.");
  assert.equal(sourceValue(state, forward), 338);
});

test("lists and long sums are written in words", () => {
  assert.equal(joinWords(["a"]), "a");
  assert.equal(joinWords(["a", "b", "c"]), "a, b and c");
  const ten = Array.from({ length: 10 }, (_, i) => i % 2);
  assert.equal(writeSum(ten.map(formatNumber), ten).sum, "1 + 1 + 1 + 1 + 1");
  assert.equal(writeSum(ten.map(formatNumber), ten).note, " (5 terms that are 0 left out)");
  assert.equal(writeSum(ten.slice(1).map(formatNumber), ten.slice(1)).note, "");
  assert.equal(writeSum(ten.map(() => "0"), ten.map(() => 0)).note, " (all 10 terms are 0)");
});

test("a sum whose numbers are rounded is written with ≈", () => {
  for (const [x, sign] of [[0.25, "="], [0.125, "≈"]]) {
    const exact = { ...corner, input: [[x, x]], pooling: "none" };
    const { forward, gradients } = trace(exact);
    const { text } = explainGradient(exact, forward, gradients, "W", 0, 0);
    assert.ok(text.includes(` ${sign} ${formatNumber(2 * x)}, the sum`), text);
  }
});

test("backward fills y, a, z, then W, x and b, each in reading order", () => {
  const state = { ...corner, input: [[1, 2], [3, 4]] };
  const order = fillOrder(trace(state).gradients);
  assert.equal(order.map(({ name }) => name).join(""), "yaaaazzzzWxxxxb");
  assert.deepEqual(order[3], { name: "a", row: 1, column: 0 });
});
