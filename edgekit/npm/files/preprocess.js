// From raw rows to what the model takes: the one contract of interface.js, bit for bit as in Python.
// Nothing here needs a browser: Node, workers and React Native run it as it is.
import { INPUTS, PREPROCESS } from "./interface.js";

const RANGES = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
  int32: [-2147483648, 2147483647],
};
const ARRAYS = {
  float32: Float32Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
};
const LARGEST = 3.4028234663852886e38;
const fround = Math.fround;

/** A raw row as the input stores it, without the batch axis. */
export function prepare(row, shape, input = INPUTS[0]) {
  // class numbers and tokens are no measurements: they are taken as they are
  if (input.dtype === "int32" && input.scale === null) return whole(row, input);
  return quantise(preprocess(row, shape, input), input);
}

/** A raw row as the real values that the model was trained on. */
export function preprocess(row, shape, input = INPUTS[0]) {
  const wanted = input.shape.slice(1);
  let value = asDeclared(row);
  let have = shape ?? wanted;
  if (have.length === 2 && wanted.length === 3 && wanted[2] === 1) have = [...have, 1];
  requireLength(value, have);
  if (PREPROCESS.resize !== null) {
    value = resize(value, have, PREPROCESS.resize);
    have = [...PREPROCESS.resize, ...have.slice(2)];
  }
  if (have.join() !== wanted.join()) throw new RangeError(misfit(have, wanted, input));
  return values(value, have.length ? have[have.length - 1] : 1);
}

/** A decoded picture (`ImageData`) as the input stores it, resized to its height and width. */
export function preparePicture(picture, input = INPUTS[0]) {
  const [height, width, channels] = pictureShape(input);
  const shape = [picture.height, picture.width, channels];
  const row = resize(asDeclared(pixels(picture, channels)), shape, [height, width]);
  return quantise(values(row, channels), input);
}

/** Height, width and channels of an input that pictures fit, else an error. */
export function pictureShape(input = INPUTS[0]) {
  const [height, width, channels = 1] = input.shape.slice(1);
  const rank = input.shape.length - 1;
  if ((rank !== 2 && rank !== 3) || (channels !== 1 && channels !== 3)) {
    throw new RangeError(`input ${input.name} of shape [${input.shape}] takes no pictures: give rows`);
  }
  return [height, width, channels];
}

/** RGBA of `ImageData` as RGB, or as grey (luma of ITU-R 601-2); transparency is dropped. */
export function pixels(picture, channels = 3) {
  const { data } = picture;
  const count = data.length / 4;
  const row = new Uint8Array(count * channels);
  for (let i = 0; i < count; i++) {
    const [red, green, blue] = [data[4 * i], data[4 * i + 1], data[4 * i + 2]];
    if (channels === 3) row.set([red, green, blue], 3 * i);
    // Pillow's integers, so that a picture gives the grey that the training data had
    else row[i] = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >>> 16;
  }
  return row;
}

/** Bilinear, half-pixel centres, no antialiasing, in float32: [height, width(, channels)]. */
export function resize(row, shape, size) {
  const [height, width, channels = 1] = shape;
  const [newHeight, newWidth] = size;
  if (height === newHeight && width === newWidth) return row;
  const tall = along(Float32Array.from(row), 1, height, width * channels, newHeight);
  return along(tall, newHeight, width, channels, newWidth);
}

/** One axis of [outer, size, inner] to `fresh` elements; every operation rounds to float32. */
function along(row, outer, size, inner, fresh) {
  const result = new Float32Array(outer * fresh * inner);
  for (let place = 0; place < fresh; place++) {
    const middle = (place + 0.5) * (size / fresh) - 0.5;
    const centre = Math.min(Math.max(middle, 0), size - 1);
    const low = Math.floor(centre);
    const high = Math.min(low + 1, size - 1);
    const weight = fround(centre - low);
    const other = fround(1 - weight);
    for (let block = 0; block < outer; block++) {
      const [to, one, two] = [place, low, high].map((at, i) => (block * (i ? size : fresh) + at) * inner);
      for (let i = 0; i < inner; i++) {
        result[to + i] = fround(row[one + i] * other) + fround(row[two + i] * weight);
      }
    }
  }
  return result;
}

/** ((x * scale + offset) - mean) / std in float64, rounded once to float32. */
function values(row, channels) {
  const { scale, offset } = PREPROCESS;
  const mean = perChannel("mean", channels);
  const std = perChannel("std", channels);
  // adding an offset of 0 would lose the sign of -0
  if (scale === 1 && offset === 0 && !mean && !std) return Float32Array.from(row);
  return Float32Array.from(row, (x, i) => {
    const channel = i % channels;
    let value = x * scale + offset;
    if (mean) value -= mean[channel];
    if (std) value /= std[channel];
    return value;
  });
}

function perChannel(key, channels) {
  const numbers = PREPROCESS[key];
  if (numbers.length === 0) return null;
  if (numbers.length === 1) return new Array(channels).fill(numbers[0]);
  if (numbers.length === channels) return numbers;
  throw new RangeError(`the model has ${numbers.length} values of ${key} for ${channels} channels`);
}

/** Real values as a port stores them: half away from zero, clamped; NaN is the zero point. */
export function quantise(real, port = INPUTS[0]) {
  if (port.dtype === "float32") return Float32Array.from(real);
  const [lowest, highest] = RANGES[port.dtype];
  const zero = port.zeroPoint ?? 0;
  return ARRAYS[port.dtype].from(real, (x) => {
    const step = port.scale === null ? fround(x) : fround(fround(x) / port.scale);
    const steps = Number.isNaN(step) ? 0 : Math.min(Math.max(step, -LARGEST), LARGEST);
    const cut = Math.trunc(steps);
    const away = Math.abs(steps - cut) >= 0.5 ? Math.sign(steps) : 0;
    return Math.min(Math.max(cut + away + zero, lowest), highest);
  });
}

/** What a port stores as real values. */
export function dequantise(stored, port) {
  if (port.scale === null || port.dtype === "float32") return Float32Array.from(stored);
  return Float32Array.from(stored, (value) => (value - port.zeroPoint) * port.scale);
}

/** The row as the dtype that was declared, where no value changes by it. */
function asDeclared(row) {
  const { dtype } = PREPROCESS;
  if (dtype === "auto") return row;
  if (dtype === "float32") return Float32Array.from(row);
  const [lowest, highest] = RANGES[dtype];
  for (const value of row) {
    if (!Number.isInteger(value) || value < lowest || value > highest) {
      throw new RangeError(`rows are declared ${dtype}, and ${value} does not fit it`);
    }
  }
  return row;
}

function whole(row, input) {
  for (const value of row) {
    if (!Number.isInteger(value)) throw new RangeError(`${value} is no ${input.dtype}, which input ${input.name} takes`);
  }
  return ARRAYS[input.dtype].from(row);
}

function requireLength(row, shape) {
  const count = shape.reduce((product, size) => product * size, 1);
  if (row.length !== count) {
    throw new RangeError(
      `a row has ${row.length} values, and a shape of [${shape}] has ${count}: give the row's own shape`,
    );
  }
}

function misfit(have, wanted, input) {
  const size = wanted.length === 3 ? `; for pictures build with --preprocess resize=${wanted[0]}x${wanted[1]}` : "";
  return `a row of shape [${have}] does not fit input ${input.name}, which takes [${wanted}]${size}`;
}
