import type { LoadOptions, Model } from "./model.js";

/** Where the modules of the runtime are, for a worker of a page without a bundler. */
export interface Modules {
  readonly core: string;
  readonly wasmUtils: string;
  readonly wasm: string;
}

export interface WorkerOptions extends LoadOptions {
  /** Give `modulesOfPage()` where the page has an import map and no bundler is used. */
  modules?: Modules;
}

/**
 * Starts a worker thread, and fetches and compiles the model there.
 *
 * @throws Error The model, the runtime or the worker cannot be fetched.
 */
export function load(options?: WorkerOptions): Promise<Model>;

/** What the import map of this page says. */
export function modulesOfPage(): Modules;
