// The model on a LiteRT.js runtime that it is given, so that pages and workers share it.
import { BYTES, INPUTS, LABELS, NAME, OUTPUTS, SHA256 } from "./interface.js";
import { dequantise, prepare, preparePicture } from "./preprocess.js";

const GOLDEN_URL = new URL("./golden.json", import.meta.url);
const MODEL_URL = new URL("./model.tflite", import.meta.url);
const ARRAYS = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array };

/** Fetches and compiles the model on `litert`, a namespace of @litertjs/core. */
export async function loadWith(litert, options = {}) {
  const source = options.model ?? MODEL_URL;
  const bytes = source instanceof Uint8Array ? source : await download(source, options.onProgress);
  await requireHash(bytes);
  const wasm = String(options.wasm ?? besideRuntime());
  const threads = options.threads ?? false;
  // one runtime for all models of a page
  await (litert.getGlobalLiteRtPromise() ?? litert.loadLiteRt(wasm, { threads }));
  const accelerator = options.accelerator ?? "wasm";
  return new Model(litert, await litert.loadAndCompile(bytes, { accelerator }));
}

export class Model {
  #litert;
  #compiled;

  constructor(litert, compiled) {
    this.#litert = litert;
    this.#compiled = compiled;
  }

  /** Real values and, where classes have names, the classes by falling score. */
  async predict(data) {
    const start = performance.now();
    const given = Array.isArray(data) && INPUTS.length > 1 ? data : [data];
    if (given.length !== INPUTS.length) {
      throw new RangeError(`${NAME} has ${INPUTS.length} inputs: give a list of as many rows`);
    }
    const stored = await this.run(given.map((each, i) => storedAs(each, INPUTS[i])));
    const outputs = stored.map((values, i) => dequantise(values, OUTPUTS[i]));
    return { outputs, classes: classes(outputs), latencyMs: performance.now() - start };
  }

  /** Tensors in, tensors out, as the model stores them. */
  async run(inputs) {
    const tensors = inputs.map((values, i) => new this.#litert.Tensor(values, [...INPUTS[i].shape]));
    let results = [];
    try {
      results = await this.#compiled.run(tensors);
      return await Promise.all(results.map((tensor) => tensor.data()));
    } finally {
      for (const tensor of [...tensors, ...results]) tensor.delete();
    }
  }

  /** Golden vectors: ok, or the first element that is further off than other kernels may be. */
  async selfTest() {
    const { allowed, vectors } = await golden();
    if (vectors.length === 0) throw new Error(`${NAME} was built without golden vectors`);
    for (const [vector, { inputs, outputs }] of vectors.entries()) {
      const got = await this.run(inputs);
      for (const [output, wanted] of outputs.entries()) {
        const found = firstDifference(got[output], wanted, allowed[output]);
        if (found) return { ok: false, vectors: vectors.length, difference: { vector, output, ...found } };
      }
    }
    return { ok: true, vectors: vectors.length, difference: null };
  }

  /** Frees the memory of the runtime. */
  delete() {
    this.#compiled.delete();
  }
}

/** The golden vectors of this package: inputs and outputs as the model stores them. */
export async function golden() {
  const { allowed, vectors } = await (await fetched(GOLDEN_URL)).json();
  const side = (texts, ports) => texts.map((text, i) => decoded(text, ARRAYS[ports[i].dtype]));
  return {
    allowed,
    vectors: vectors.map(({ inputs, outputs }) => ({
      inputs: side(inputs, INPUTS),
      outputs: side(outputs, OUTPUTS),
    })),
  };
}

function storedAs(data, input) {
  if (typeof ImageData !== "undefined" && data instanceof ImageData) return preparePicture(data, input);
  return data?.row ? prepare(data.row, data.shape, input) : prepare(data, undefined, input);
}

/** By falling score; one score of two classes is that of the second. */
function classes(outputs) {
  const wanted = (port) => Math.max(port.shape[port.shape.length - 1] ?? 1, 2) === LABELS.length;
  const place = OUTPUTS.findIndex(wanted);
  if (place < 0) return [];
  const found = outputs[place];
  const scores = found.length === 1 ? [1 - found[0], found[0]] : [...found.slice(0, LABELS.length)];
  return scores
    .map((score, index) => ({ index, label: LABELS[index], score }))
    .sort((one, two) => two.score - one.score || one.index - two.index);
}

function firstDifference(got, wanted, allowed) {
  if (allowed === null) return null;
  for (let index = 0; index < wanted.length; index++) {
    const same = Object.is(got[index], wanted[index]) || Math.abs(got[index] - wanted[index]) <= allowed;
    if (!same) return { index, got: got[index], wanted: wanted[index], allowed };
  }
  return null;
}

async function download(url, onProgress) {
  const response = await fetched(url);
  const bytes = new Uint8Array(BYTES);
  let loaded = 0;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (loaded + value.length > BYTES) throw new Error(notThisModel(url));
    bytes.set(value, loaded);
    loaded += value.length;
    onProgress?.({ loaded, total: BYTES });
  }
  return bytes;
}

async function fetched(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: the server answers ${response.status} ${response.statusText}`);
  return response;
}

/** Browsers hash in secure contexts only: https, and this machine. */
async function requireHash(bytes) {
  if (!globalThis.crypto?.subtle) return;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const text = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (text !== SHA256) throw new Error(notThisModel(MODEL_URL));
}

function notThisModel(url) {
  return `${url} is not the model of this package: empty the browser's cache, or copy the package whole`;
}

/** Where the runtime's WebAssembly lies when an import map says where the runtime is. */
function besideRuntime() {
  try {
    return new URL("../wasm/", import.meta.resolve("@litertjs/core")).href;
  } catch {
    throw new Error(
      "where the runtime's files are is not known: copy node_modules/@litertjs/core/wasm to what " +
        'your server serves, and say where: load({ wasm: "/wasm/" })',
    );
  }
}

function decoded(text, Kind) {
  const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  return new Kind(bytes.buffer);
}
