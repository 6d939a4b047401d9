// The worker thread where a bundler finds @litertjs/core.
import * as litert from "@litertjs/core";
import { loadWith } from "./model.js";
import { readyForRuntime, serve } from "./serve.js";

serve((options) => {
  if (!options.wasm) throw new Error('say where the runtime\'s files are: load({ wasm: "/wasm/" })');
  readyForRuntime(options.wasm);
  return loadWith(litert, options);
});
