// The page: takes a picture, shows what the network says of it.

import { Explainer } from "./interpnet_lite.js";

const element = (id) => document.getElementById(id);
const percent = (value) => `${(100 * value).toFixed(1)} %`;
let explainer;

async function start() {
  explainer = await Explainer.load("model.tflite");
  const { shape } = explainer.preprocessing;
  element("drop").hidden = !explainer.readsPictures;
  element("status").textContent = explainer.readsPictures
    ? ""
    : `This model reads ${shape.join(" × ")} numbers and not a picture: export a model whose classifier reads ` +
      "pictures to use it here.";
}

async function explain(file) {
  element("error").textContent = "";
  element("answer").hidden = true;
  URL.revokeObjectURL(element("picture").src);
  element("picture").hidden = true;
  try {
    const x = await explainer.read(file);
    element("picture").src = URL.createObjectURL(file);
    element("picture").hidden = false;
    const begun = performance.now();
    const explanation = await explainer.explain(x);
    show(explanation, performance.now() - begun);
  } catch (error) {
    element("error").textContent = error.message;
  }
}

function show({ label, probability, text, words, logProbabilities }, milliseconds) {
  element("label").textContent = label;
  element("probability").textContent = percent(probability);
  element("explanation").textContent = text;
  element("words").replaceChildren(...words.map((word, index) => row(word, Math.exp(logProbabilities[index]))));
  element("duration").textContent = `Computed in ${milliseconds.toFixed(0)} ms.`;
  element("answer").hidden = false;
}

function row(word, probability) {
  const line = document.createElement("tr");
  line.insertCell().textContent = word;
  const number = line.insertCell();
  number.className = "number";
  number.textContent = percent(probability);
  const bar = document.createElement("span");
  bar.className = "bar";
  bar.style.width = `${10 * probability}rem`;
  line.insertCell().append(bar);
  return line;
}

for (const input of document.querySelectorAll("input")) {
  input.addEventListener("change", () => input.files.length && explain(input.files[0]));
}
const drop = element("drop");
for (const name of ["dragenter", "dragover", "dragleave", "drop"]) {
  drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.toggle("over", name === "dragenter" || name === "dragover");
    if (name === "drop" && event.dataTransfer.files.length) explain(event.dataTransfer.files[0]);
  });
}
start().catch((error) => {
  element("status").textContent = "";
  element("error").textContent = error.message;
});
