// What a worker thread answers; `load` makes the model from the client's options.

/** Answers the messages of client.js. */
export function serve(load) {
  let model = null;
  self.onmessage = async ({ data: { id, method, parameters } }) => {
    try {
      if (method === "load") {
        const onProgress = (progress) => self.postMessage({ progress });
        model = await load({ ...parameters[0], onProgress });
        self.postMessage({ id, result: null });
      } else {
        self.postMessage({ id, result: await model[method](...parameters) });
      }
    } catch (error) {
      self.postMessage({ id, error: error?.message ?? String(error) });
    }
  };
}

/**
 * Lets the runtime start in a worker of modules: it loads its script by `importScripts`, which such
 * workers refuse, and looks for its WebAssembly beside the worker's own script.
 */
export function readyForRuntime(wasm) {
  self.Module = { locateFile: (name) => new URL(name, new URL(wasm, self.location.href)).href };
  self.importScripts = (url) => {
    const request = new XMLHttpRequest();
    request.open("GET", url, false);
    request.send();
    if (request.status !== 200) throw new Error(`${url}: the server answers ${request.status}`);
    (0, eval)(`${request.responseText}\n//# sourceURL=${url}`);
  };
}
