import type { Picture, Row, Stored } from "./preprocess.js";

/** Bytes of the model that have arrived, of all. */
export interface Progress {
  readonly loaded: number;
  readonly total: number;
}

export interface LoadOptions {
  /** Folder with the WebAssembly of @litertjs/core; default: beside it, where there is an import map. */
  wasm?: string | URL;
  /** Where the model is fetched from, or its bytes; default: this package. */
  model?: string | URL | Uint8Array;
  /** Called while the model is fetched. */
  onProgress?: (progress: Progress) => void;
  /** Several threads; the server must send COOP and COEP headers. */
  threads?: boolean;
  /** `wasm` gives what edgekit has checked. */
  accelerator?: "wasm" | "webgpu";
}

/** A raw row (with its shape where it is resized), or a picture; as many in a list as inputs. */
export type Data = Row | { readonly row: Row; readonly shape: readonly number[] } | ImageData;

export interface Class {
  readonly index: number;
  readonly label: string;
  readonly score: number;
}

export interface Prediction {
  /** Real values, an array for each output of the model. */
  readonly outputs: Float32Array[];
  /** By falling score; empty where classes have no names. */
  readonly classes: Class[];
  /** Preprocessing and inference, in milliseconds. */
  readonly latencyMs: number;
}

/** The first element that is further off than kernels of other machines may be. */
export interface Difference {
  readonly vector: number;
  readonly output: number;
  readonly index: number;
  readonly got: number;
  readonly wanted: number;
  readonly allowed: number;
}

export interface SelfTest {
  readonly ok: boolean;
  readonly vectors: number;
  readonly difference: Difference | null;
}

export interface Golden {
  /** What an element of each output may be off, as it is stored; null: it is not compared. */
  readonly allowed: (number | null)[];
  readonly vectors: { readonly inputs: Stored[]; readonly outputs: Stored[] }[];
}

/** The compiled model. */
export interface Model {
  /** Preprocesses, runs, and gives real values and classes. */
  predict(data: Data | Data[]): Promise<Prediction>;
  /** Tensors in, tensors out, as the model stores them. */
  run(inputs: Stored[]): Promise<Stored[]>;
  /** Runs the golden vectors. */
  selfTest(): Promise<SelfTest>;
  /** Frees its memory; nothing else may be called afterwards. */
  delete(): void;
}

/** The golden vectors of this package: inputs and outputs as the model stores them. */
export function golden(): Promise<Golden>;

export type { Picture, Row, Stored };
