import type { LoadOptions, Model } from "./model.js";

export * from "./interface.js";
export * from "./model.js";
export * from "./preprocess.js";

/**
 * Fetches and compiles the model.
 *
 * @throws Error The model or the runtime cannot be fetched, or is another one.
 */
export function load(options?: LoadOptions): Promise<Model>;
