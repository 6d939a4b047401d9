// Load in a page or in a worker thread, run a picture or the golden vectors, measure.
import { golden, load as loadHere, pictureShape, BYTES, INPUTS, NAME, OUTPUTS, SHA256 } from "../index.js";
import { load as loadInWorker, modulesOfPage } from "../client.js";

const SHOWN = 8;
const RUNS = 50;
const at = (id) => document.getElementById(id);
let model = null;

at("name").textContent = NAME;
at("facts").textContent = `${described(INPUTS)} → ${described(OUTPUTS)} · ${(BYTES / 1024).toFixed(0)} KiB · sha256 ${SHA256.slice(0, 12)}`;
at("drop").hidden = INPUTS.length > 1 || !takesPictures();

at("test").onclick = () => busy("Running golden vectors", test);
at("measure").onclick = () => busy(`Running ${RUNS} times`, measure);
at("thread").onchange = () => busy("Loading", start);
at("file").onchange = ({ target }) => target.files[0] && busy("Running the picture", () => picture(target.files[0]));
for (const [event, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
  at("drop").addEventListener(event, (it) => {
    it.preventDefault();
    at("drop").classList.toggle("over", over);
    const file = it.dataTransfer?.files[0];
    if (event === "drop" && file) busy("Running the picture", () => picture(file));
  });
}
await busy("Loading", start);

async function start() {
  model?.delete();
  model = null;
  const began = performance.now();
  const onProgress = ({ loaded, total }) => {
    at("progress").value = loaded / total;
    at("amount").textContent = `${(loaded / 1024).toFixed(0)} of ${(total / 1024).toFixed(0)} KiB`;
  };
  model = at("thread").checked
    ? await loadInWorker({ onProgress, modules: modulesOfPage() })
    : await loadHere({ onProgress });
  at("amount").textContent = `loaded in ${Math.round(performance.now() - began)} ms`;
}

async function test() {
  const { ok, vectors, difference } = await model.selfTest();
  if (ok) answer("Self-test passed", "good", `${vectors} golden vectors give what reference kernels gave when the model was built.`);
  else {
    const { vector, output, index, got, wanted } = difference;
    answer("Self-test failed", "bad", `Vector ${vector}, output ${output}, element ${index}: ${got} instead of ${wanted}.`);
  }
}

async function measure() {
  const { inputs } = (await golden()).vectors[0];
  const times = [];
  for (let i = 0; i < RUNS; i++) {
    const began = performance.now();
    await model.run(inputs);
    times.push(performance.now() - began);
  }
  times.sort((one, two) => one - two);
  const [least, median, most] = [0, RUNS >> 1, RUNS - 1].map((place) => times[place].toFixed(2));
  answer(`${median} ms`, "", `Median of ${RUNS} runs in this browser; ${least} to ${most} ms.`);
}

async function picture(file) {
  const bitmap = await createImageBitmap(file);
  const canvas = at("picture");
  [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  canvas.hidden = false;
  at("invitation").hidden = true;
  await show(file.name, context.getImageData(0, 0, bitmap.width, bitmap.height));
}

async function show(title, data) {
  const { classes, outputs, latencyMs } = await model.predict(data);
  const cut = !classes.length && outputs[0].length > SHOWN;
  answer(classes.length ? classes[0].label : title, "", cut ? `The first ${SHOWN} of ${outputs[0].length} values.` : "");
  at("latency").textContent = `${latencyMs.toFixed(2)} ms`;
  const rows = classes.length ? classes : [...outputs[0]].map((score, index) => ({ label: String(index), score }));
  at("classes").replaceChildren(...bars(rows.slice(0, SHOWN)));
}

function answer(verdict, kind, detail) {
  at("answer").hidden = false;
  at("verdict").textContent = verdict;
  at("verdict").className = kind;
  at("detail").textContent = detail;
  at("latency").textContent = "";
  at("classes").replaceChildren();
}

function bars(rows) {
  const most = Math.max(...rows.map(({ score }) => Math.abs(score)), 1e-9);
  return rows.map(({ label, score }) => {
    const item = document.createElement("li");
    const [name, bar, value] = ["span", "i", "span"].map((tag) => item.appendChild(document.createElement(tag)));
    name.textContent = name.title = label;
    bar.style.setProperty("--share", `${(100 * Math.abs(score)) / most}%`);
    value.textContent = score.toPrecision(4);
    return item;
  });
}

async function busy(what, action) {
  at("controls").disabled = true;
  at("state").textContent = what;
  try {
    await action();
    at("state").textContent = "Ready";
  } catch (error) {
    at("state").textContent = "Failed";
    answer(error.message, "bad", "");
  }
  at("controls").disabled = model === null;
}

function described(ports) {
  return ports.map(({ shape, dtype }) => `${dtype} ${shape.join("×")}`).join(", ");
}

function takesPictures() {
  try {
    return pictureShape()[0] > 0;
  } catch {
    return false;
  }
}
