// The network in the browser computes what torch computes, forward and backward.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import {
  mostProbable,
  percent,
  sayAnswer,
  sayCam,
} from "../../../course_utils/widgets/digit_pad/answers.js";
import {
  layMaps,
  paintSigned,
  signedColour,
} from "../../../course_utils/widgets/digit_pad/feature_maps.js";
import {
  enlargeMap,
  gradCam,
  readNetwork,
  runNetwork,
  softmax,
} from "../../../course_utils/widgets/digit_pad/network.js";

const { networks, colours, sentences } = JSON.parse(readFileSync(process.env.CASES));
const floats = (text) => new Float32Array(new Uint8Array(Buffer.from(text, "base64")).buffer);

function close(found, expected, what, tolerance = 1e-4) {
  assert.equal(found.length, expected.length, what);
  const size = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  expected.forEach((value, i) => {
    // Written so that NaN fails, and so that the message is made only where it is needed.
    if (!(Math.abs(found[i] - value) <= tolerance * size))
      assert.fail(`${what}, number ${i}: ${found[i]}, torch says ${value}`);
  });
}

test("there are cases", () => assert.ok(networks.length >= 20 && sentences.length >= 20));

for (const { name, description, weights, image, outputs, probabilities, cams } of networks) {
  const network = readNetwork(description, floats(weights));

  test(`${name}: every layer is torch's`, () => {
    runNetwork(network, new Float32Array(28 * 28).fill(0.3)); // nothing of it may stay behind
    const scores = runNetwork(network, floats(image));
    network.layers.forEach((layer, i) => close(layer.output, floats(outputs[i]), layer.name));
    close(softmax(scores), probabilities, "probabilities");
    assert.equal(mostProbable(softmax(scores)), mostProbable(probabilities));
  });

  test(`${name}: Grad-CAM is what autograd gives`, () => {
    runNetwork(network, floats(image));
    for (const { layer, digit, height, width, map, large } of cams) {
      const number = network.layers.findIndex((one) => one.name === layer);
      const found = gradCam(network, digit, number);
      assert.deepEqual([found.height, found.width], [height, width]);
      close(found.map, floats(map), `${layer} for ${digit}`, 1e-3);
      close(enlargeMap(found, 28, 28), floats(large), "enlarged", 1e-3);
      if (number === network.lastConvolution) assert.deepEqual(gradCam(network, digit), found);
    }
    if (!cams.length) assert.equal(gradCam(network, 0), null);
  });
}

test("a large score does not overflow", () => {
  assert.deepEqual(softmax([1000, 0]), [1, 0]);
  assert.deepEqual(softmax([-1000, -1000]), [0.5, 0.5]);
});

test("a probability and an answer are written as in Python", () => {
  for (const { share, text } of sentences[0].percents) assert.equal(percent(share), text);
  for (const { probabilities, classes, said } of sentences)
    assert.equal(sayAnswer(probabilities, classes), said);
});

test("Grad-CAM in words has the strongest place, or that there is none", () => {
  const map = new Float32Array([0.2, 0, 0.9, 0, 1, 0.5]);
  assert.match(sayCam({ map, height: 2, width: 3 }, "7", "c"), /for 7, most at row 1, column 1 of 2/);
  const nothing = { map: new Float32Array(6), height: 2, width: 3 };
  assert.equal(sayCam(nothing, "7", "c"), "Nothing in c speaks for 7: Grad-CAM is 0 everywhere.");
});

test("values have the colours of the course's figures", () => {
  const values = Float32Array.from(colours, ({ value }) => value);
  const pixels = new Uint8ClampedArray(4 * values.length);
  paintSigned(pixels, values, 2);
  colours.forEach(({ value, rgb }, i) => {
    const painted = [...pixels.slice(4 * i, 4 * i + 3)];
    for (const found of [signedColour(value, 2), painted])
      rgb.forEach((wanted, c) => assert.ok(Math.abs(found[c] - wanted) <= 3, `${value}: ${found}`));
    assert.equal(pixels[4 * i + 3], 255);
  });
});

test("maps fill the room, and no more of it", () => {
  for (const count of [1, 2, 6, 8, 16, 32, 72, 256, 784]) {
    for (const [height, width] of [[24, 24], [8, 8], [1, 1], [5, 1], [28, 28], [3, 20]]) {
      for (const room of [340, 680]) {
        const laid = layMaps(count, height, width, room, 190);
        const { columns, rows, cell, gap } = laid;
        assert.ok(columns * (width * cell + gap) - gap <= room, "too wide");
        assert.ok(rows * (height * cell + gap) - gap <= 190, "too high");
        assert.ok(laid.count <= columns * rows && laid.count <= count && laid.count > 0);
        if (cell > 1) assert.equal(laid.count, count);
      }
    }
  }
  assert.deepEqual(layMaps(8, 24, 24, 680, 190), { count: 8, columns: 8, rows: 1, cell: 3, gap: 6 });
});
