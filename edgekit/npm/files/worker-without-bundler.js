// The worker thread of a page with an import map: workers have none, so the page says where the
// modules of the runtime are.
import { loadWith } from "./model.js";
import { readyForRuntime, serve } from "./serve.js";

serve(async ({ modules, ...options }) => {
  const wasm = options.wasm ?? modules.wasm;
  readyForRuntime(wasm);
  return loadWith(await imported(modules), { ...options, wasm });
});

async function imported({ core, wasmUtils }) {
  const source = await (await fetch(core)).text();
  const text = source.replaceAll('"@litertjs/wasm-utils"', JSON.stringify(wasmUtils));
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  try {
    return await import(/* @vite-ignore */ /* webpackIgnore: true */ url);
  } finally {
    URL.revokeObjectURL(url);
  }
}
