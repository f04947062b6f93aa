// What a network answers, in words, the same as in Python. No DOM here.

/** A probability in whole percents. */
export function percent(share) {
  const whole = Math.floor(100 * share + 0.5);
  if (whole === 0 && share > 0) return "under 1 %";
  return whole === 100 && share < 1 ? "over 99 %" : `${whole} %`;
}

/** The number of the most probable class. */
export function mostProbable(probabilities) {
  return probabilities.indexOf(Math.max(...probabilities));
}

/** The two most probable classes in a sentence. `classes` are words. */
export function sayAnswer(probabilities, classes) {
  const [first, second] = probabilities
    .map((_, i) => i)
    .sort((a, b) => probabilities[b] - probabilities[a])
    .map((i) => `${classes[i]} with ${percent(probabilities[i])}`);
  return `The network says ${first}; next ${second}.`;
}

/** What Grad-CAM shows: `cam` is what `gradCam` returns for the class `word` at `layer`. */
export function sayCam({ map, height, width }, word, layer) {
  const strongest = map.indexOf(1);
  if (strongest < 0) return `Nothing in ${layer} speaks for ${word}: Grad-CAM is 0 everywhere.`;
  const [row, column] = [Math.floor(strongest / width), strongest % width];
  return (
    `Orange: what speaks for ${word}, most at row ${row}, column ${column} of ` +
    `${height} × ${width}. Outlined: at least half as much.`
  );
}
