// The model in a worker thread: a long inference does not stop the page.

/** Starts a worker, and fetches and compiles the model there. */
export async function load(options = {}) {
  const { modules, onProgress, ...rest } = options;
  // both are written out, so that bundlers find them
  const worker = modules
    ? new Worker(new URL("./worker-without-bundler.js", import.meta.url), { type: "module" })
    : new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  const client = new Client(worker, onProgress);
  try {
    const { wasm, model, ...plain } = rest;
    const absolute = (url) => (url === undefined || url instanceof Uint8Array ? url : new URL(url, document.baseURI).href);
    await client.call("load", { modules, ...plain, wasm: absolute(wasm), model: absolute(model) });
  } catch (error) {
    client.delete();
    throw error;
  }
  return client;
}

/** Where the import map of this page says the runtime is; workers have no import maps. */
export function modulesOfPage() {
  const core = import.meta.resolve("@litertjs/core");
  return { core, wasmUtils: import.meta.resolve("@litertjs/wasm-utils"), wasm: new URL("../wasm/", core).href };
}

class Client {
  #worker;
  #waiting = new Map();
  #next = 0;
  #failed = null;

  constructor(worker, onProgress) {
    this.#worker = worker;
    worker.onmessage = ({ data }) => {
      if (data.progress) return void onProgress?.(data.progress);
      const { resolve, reject } = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if (data.error === undefined) resolve(data.result);
      else reject(new Error(data.error));
    };
    worker.onerror = (event) => this.#fail(new Error(event.message ?? "the worker's script cannot be loaded"));
  }

  call(method, ...parameters) {
    if (this.#failed) return Promise.reject(this.#failed);
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, method, parameters });
    });
  }

  predict(data) {
    return this.call("predict", data);
  }

  run(inputs) {
    return this.call("run", inputs);
  }

  selfTest() {
    return this.call("selfTest");
  }

  delete() {
    this.#worker.terminate();
    this.#fail(new Error("the worker has been ended"));
  }

  #fail(error) {
    this.#failed = error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
