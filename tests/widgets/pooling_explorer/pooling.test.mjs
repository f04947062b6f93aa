// The widgets' pooling gives torch's numbers, cell by cell, and Python's sentences.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  compareOutputs,
  makeKernel,
  moveRight,
  pool,
  refusePooling,
  refusePosition,
  reportShift,
  sayReach,
  sayWindow,
  writeSum,
} from "../../../course_utils/widgets/pooling_explorer/pooling.js";

const cases = JSON.parse(readFileSync(process.env.CASES));
const legal = cases.filter((one) => one.output);
const illegal = cases.filter((one) => one.sentence);
const refuse = (state) => refusePooling(state) ?? refusePosition(state);

function near(got, expected) {
  if (expected === null) return assert.equal(got, null);
  if (!Array.isArray(expected))
    return assert.ok(
      Math.abs(got - expected) <= 1e-9 * (1 + Math.abs(expected)),
      `${got} is not ${expected}`,
    );
  assert.equal(got.length, expected.length);
  return expected.forEach((value, i) => near(got[i], value));
}

test("there are cases of both kinds, of both modes, and with hanging windows", () => {
  assert.ok(legal.length > 300 && illegal.length > 100);
  for (const mode of ["max", "average"]) {
    const some = legal.filter((one) => one.state.mode === mode);
    assert.ok(some.some((one) => one.paper[0].length > one.state.input[0].length + 4));
  }
});

test("the output is torch's", () => {
  for (const { state, output } of legal) near(pool(state).output, output);
});

test("the winners are torch's, and nobody wins an average", () => {
  for (const { state, winners } of legal) assert.deepEqual(pool(state).winners, winners);
});

test("a window reads the cells that torch's gradient reaches", () => {
  let found = 0;
  for (const { state, readers } of legal.filter((one) => one.readers)) {
    const { reads, isRead } = pool(state);
    reads.forEach((line, row) =>
      line.forEach((places, column) => {
        assert.deepEqual(places, readers[row][column]);
        assert.equal(isRead(row, column), places.length > 0);
        found += places.length;
      }),
    );
  }
  assert.ok(found > 1000);
});

test("every output number is won by the one cell that says so", () => {
  for (const { state, winners } of legal.filter((one) => one.winners)) {
    const { wins } = pool(state);
    const width = state.input[0].length;
    const listed = wins.flatMap((line, row) =>
      line.flatMap((places, column) => places.map(([i, j]) => [i, j, row * width + column])),
    );
    assert.equal(listed.length, winners.flat().length);
    for (const [i, j, winner] of listed) assert.equal(winners[i][j], winner);
  }
});

test("the windows lie on a paper of Python's size", () => {
  for (const { state, paper } of legal) {
    const { reach, window, output } = pool(state);
    assert.deepEqual(reach, [paper.length, paper[0].length]);
    const place = ({ row, column }) => paper[row + state.padding][column + state.padding];
    for (const cell of window(output.length - 1, output[0].length - 1)) {
      if (cell.kind === "input") near(cell.value, place(cell));
      else if (state.mode === "max")
        assert.equal(place(cell), cell.kind === "padding" ? "-inf" : "nan");
      else assert.equal(place(cell), cell.counted ? 0 : "nan");
    }
  }
});

test("a number is said in the words of Python", () => {
  for (const { state, said } of legal)
    for (const [row, column, sentence] of said)
      assert.equal(sayWindow(pool(state), state.mode, row, column), sentence);
});

test("what torch refuses is refused in the words of Python", () => {
  for (const { state, sentence } of illegal) assert.equal(refuse(state), sentence);
  for (const { state } of legal) assert.equal(refuse(state), null);
});

test("the shift's report is Python's, and the convolution is torch's", () => {
  let moved = 0;
  for (const { state, shifted, report, convolved, weight } of legal) {
    near(moveRight(state.input, state.shift), shifted);
    near(makeKernel(state.kernel, state.kernel_size), weight);
    const got = reportShift(state);
    assert.deepEqual(got.map((one) => one.name), Object.keys(report));
    for (const one of got) {
      const { changed, relative, moved: columns } = report[one.name];
      near(one.changed ?? null, changed);
      near(one.relative ?? null, relative);
      assert.equal(one.moved ?? null, columns);
      assert.equal(Boolean(one.refusal), changed === null);
      moved += columns !== null;
    }
    if (convolved) near([got[2].before, got[2].after], convolved);
    else assert.match(got[2].refusal, /^kernel_size=\d is too large for size=\d/);
  }
  assert.ok(moved > 50);
});

test("a change is measured, or said to have no measure", () => {
  const row = [[1, 2, 3, 4]];
  const still = compareOutputs(row, row, 2, 2);
  assert.deepEqual([still.count, still.relative, still.moved], [0, 0, null]);
  const along = compareOutputs(row, [[0, 1, 2, 3]], 2, 2);
  assert.deepEqual([along.count, along.moved, along.kept], [4, 1, 3]);
  const torn = compareOutputs(row, [[0, 1, 2, 7]], 2, 2);
  assert.deepEqual([torn.count, torn.moved, torn.kept], [4, null, 2]);
  assert.equal(compareOutputs([[0, 0]], [[0, 3]], 1, 1).relative, null);
  assert.equal(compareOutputs([[3, 4]], [[3, 4 + 1e-9]], 1, 1).count, 0);
  assert.equal(compareOutputs([[3, 4]], [[0, 8]], 1, 2).relative, 1);
});

test("what a cell reaches is said in words", () => {
  const state = {
    ...{ input: [[1, 5, 2, 0]], mode: "max", kernel_size: 1, stride: 2, padding: 0 },
    ...{ ceil_mode: false, count_include_pad: true },
  };
  const say = (changes, column) => {
    const changed = { ...state, ...changes };
    return sayReach(pool(changed), changed, 0, column);
  };
  assert.equal(
    say({}, 1),
    "Input row 0, column 1 holds 5. No window reads it: it changes nothing",
  );
  assert.equal(
    say({}, 2),
    "Input row 0, column 2 holds 2. One window reads it (output (0, 1)), and it wins output (0, 1)",
  );
  const two = { input: [[1, 5, 2], [0, 3, 0]], kernel_size: 2, stride: 1 };
  assert.equal(
    say(two, 1),
    "Input row 0, column 1 holds 5. 2 windows read it (outputs (0, 0), (0, 1)), " +
      "and it wins outputs (0, 0), (0, 1)",
  );
  assert.match(say(two, 0), /One window reads it \(output \(0, 0\)\), and it wins none$/);
  assert.match(say({ ...two, mode: "average" }, 0), /so it has a share in output \(0, 0\)$/);
});

test("a sum is written as a person writes it", () => {
  assert.equal(writeSum([-1, 2, -3.5, 0]), "−1 + 2 − 3.5 + 0");
});
