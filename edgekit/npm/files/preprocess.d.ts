import type { Port } from "./interface.js";

/** Raw values, channels last, row by row. */
export type Row = ArrayLike<number> & Iterable<number>;

/** What `ImageData` has: RGBA, four bytes a pixel. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray | Uint8Array;
}

/** What a model may store its inputs and outputs as. */
export type Stored = Float32Array | Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array;

/**
 * A raw row as an input stores it, without the batch axis.
 *
 * @param shape Of the row: [height, width, channels] where it is resized; default: the input's.
 * @param input Default: the first.
 * @throws RangeError The row does not fit the model.
 */
export function prepare(row: Row, shape?: readonly number[], input?: Port): Stored;

/** The same as real values: ((x * scale + offset) - mean) / std, in float64, rounded to float32. */
export function preprocess(row: Row, shape?: readonly number[], input?: Port): Float32Array;

/**
 * A decoded picture as an input stores it, resized to the input's height and width.
 *
 * @throws RangeError The input takes no pictures of one or three channels.
 */
export function preparePicture(picture: Picture, input?: Port): Stored;

/** Height, width and channels of an input that pictures fit. */
export function pictureShape(input?: Port): [height: number, width: number, channels: number];

/** RGBA as three channels, or as grey for one; transparency is dropped. */
export function pixels(picture: Picture, channels?: 1 | 3): Uint8Array;

/** Bilinear resize of [height, width(, channels)] to [height, width], in float32. */
export function resize(
  row: Row,
  shape: readonly number[],
  size: readonly [height: number, width: number],
): Row;

/** Real values as a port stores them: rounded half away from zero, clamped; NaN is its zero point. */
export function quantise(real: Row, port?: Port): Stored;

/** What a port stores, as real values. */
export function dequantise(stored: Row, port: Port): Float32Array;
