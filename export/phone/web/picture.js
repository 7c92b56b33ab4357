// Reads a picture as the Python client does: upright, short side scaled to the size, centre cropped. The
// browser decodes; the scaling is Pillow's bicubic filter, as browsers' own filters differ from one another.

/** Returns the pixels of a picture file as RGB numbers in 0..255, a Float32Array of size * size * 3. */
export async function readPicture(file, size) {
  if (!(await isRead(file))) {
    throw new Error(`${file.name} is no JPEG, PNG or BMP file, which alone are read, as in training; convert it`);
  }
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, {
      imageOrientation: "from-image",
      colorSpaceConversion: "none",
      premultiplyAlpha: "none",
    });
  } catch {
    throw new Error(`${file.name} is no picture that this browser can read`);
  }
  const reduction = file.type === "image/jpeg" ? draft(bitmap, 2 * size) : 1;
  const canvas = document.createElement("canvas");
  canvas.width = Math.ceil(bitmap.width / reduction);
  canvas.height = Math.ceil(bitmap.height / reduction);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return Float32Array.from(fit(context.getImageData(0, 0, canvas.width, canvas.height), size));
}

/** Whether a file begins as a JPEG, PNG or BMP does. */
async function isRead(file) {
  const found = new Uint8Array(await file.slice(0, 8).arrayBuffer());
  const beginnings = [[0xff, 0xd8, 0xff], [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a], [0x42, 0x4d]];
  return beginnings.some((bytes) => bytes.every((byte, index) => byte === found[index]));
}

/** A large JPEG is first halved up to three times, to no less than `least`: as Pillow's `draft` decodes it. */
function draft({ width, height }, least) {
  return [8, 4, 2].find((reduction) => Math.min(width, height) >= reduction * least) ?? 1;
}

/** Pillow's `ImageOps.fit`: the centre square of RGBA pixels, scaled; RGB bytes. */
export function fit({ data, width, height }, size) {
  const side = Math.min(width, height);
  const across = taps((width - side) / 2, side, size, width);
  const down = taps((height - side) / 2, side, size, height);
  return transposedResize(transposedResize(data, width, height, 4, across), height, size, 3, down);
}

/** Scales the rows of an image by `taps`, takes three channels, and returns rows as columns. */
function transposedResize(data, width, height, channels, taps) {
  const result = new Uint8ClampedArray(taps.length * height * 3); // rounds what is written, and clips it
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < taps.length; x++) {
      const { first, weights } = taps[x];
      for (let channel = 0; channel < 3; channel++) {
        let index = (y * width + first) * channels + channel;
        let sum = 0;
        for (const weight of weights) {
          sum += weight * data[index];
          index += channels;
        }
        result[(x * height + y) * 3 + channel] = sum;
      }
    }
  }
  return result;
}

/**
 * For each of `size` new pixels along one axis: the first old pixel that it is made of, and their weights.
 * The new pixels cover `length` old ones from `start` on. Shrinking widens the filter: nothing aliases.
 */
function taps(start, length, size, available) {
  const scale = length / size;
  const width = Math.max(scale, 1);
  return Array.from({ length: size }, (_, index) => {
    const centre = start + (index + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - 2 * width + 0.5));
    const end = Math.min(available, Math.floor(centre + 2 * width + 0.5));
    const weights = Array.from({ length: end - first }, (_, i) => bicubic((first + i + 0.5 - centre) / width));
    const sum = weights.reduce((total, weight) => total + weight);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

/** Keys (1981), "Cubic convolution interpolation", with a = -0.5. */
function bicubic(x) {
  x = Math.abs(x);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}
