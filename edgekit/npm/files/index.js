// The model in a page. `client.js` runs it in a worker thread instead, with the same methods.
import * as litert from "@litertjs/core";
import { loadWith } from "./model.js";

export * from "./interface.js";
export * from "./preprocess.js";
export { golden } from "./model.js";

/** Fetches and compiles the model. */
export function load(options) {
  return loadWith(litert, options);
}
