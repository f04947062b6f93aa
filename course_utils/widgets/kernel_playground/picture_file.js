// A picture that a person chooses from their own files, read by the browser.

import { fitInto, takeLuma } from "./filtering.js";

/**
 * A file as a grey picture whose longest side has at most `longest` pixels, on white where it is
 * transparent. Rejects where this browser cannot read the file as a picture.
 */
export async function readPictureFile(file, longest) {
  const image = new Image();
  const address = URL.createObjectURL(file);
  try {
    image.src = address;
    await image.decode();
    if (!image.naturalWidth || !image.naturalHeight) throw new Error("a picture without a size");
    const [height, width] = fitInto(image.naturalHeight, image.naturalWidth, longest);
    const canvas = Object.assign(document.createElement("canvas"), { height, width });
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.fillStyle = "white";
    context.fillRect(0, 0, width, height);
    context.imageSmoothingQuality = "high";
    context.drawImage(image, 0, 0, width, height);
    return takeLuma(context.getImageData(0, 0, width, height).data, height, width);
  } finally {
    URL.revokeObjectURL(address);
  }
}
