// Runs an exported .tflite file: class and explanation, with LiteRT.js alone.
// Everything it has to know (words, class names, what to do to an input) lies in the file.

import { loadAndCompile, loadLiteRt, Tensor } from "@litertjs/core";
import { associatedFiles } from "./associated_files.js";
import { readPicture } from "./picture.js";

const PAD = 0;
const END = 2;

/** A network that classifies and says why: `await Explainer.load("model.tflite")`. */
export class Explainer {
  static async load(url) {
    const response = await fetch(url, { cache: "no-cache" });
    if (!response.ok) throw new Error(`${url}: ${response.status} ${response.statusText}`);
    const content = new Uint8Array(await response.arrayBuffer());
    const files = associatedFiles(content);
    await loadLiteRt(new URL("litert/wasm/", import.meta.url).href);
    return new Explainer(await loadAndCompile(content, { accelerator: "wasm" }), files);
  }

  constructor(model, files) {
    this.model = model;
    this.words = files["vocabulary.txt"].split("\n").slice(0, -1);
    this.labels = files["labels.txt"].split("\n").slice(0, -1);
    this.preprocessing = JSON.parse(files["preprocessing.json"]);
  }

  get readsPictures() {
    return this.preprocessing.kind === "picture";
  }

  /** Reads a picture file into what `explain` takes. */
  read(file) {
    return readPicture(file, this.preprocessing.shape[0]);
  }

  /**
   * Classifies one example and says why. `x` is a Float32Array of features, or of the pixels of a picture
   * in 0..255. Of the result, `words` and `logProbabilities` go together.
   */
  async explain(x) {
    const input = new Tensor(x, [1, ...this.preprocessing.shape]);
    const outputs = await this.model.run("explain", { x: input });
    input.delete();
    const said = {};
    for (const [name, tensor] of Object.entries(outputs)) {
      said[name] = tensor.toTypedArray().slice();
      tensor.delete(); // the browser's garbage collector does not see WebAssembly's memory
    }
    const words = sentence(said.token_ids, this.words);
    return {
      label: this.labels[said.class_id[0]],
      classId: said.class_id[0],
      probability: said.probability[0],
      text: detokenize(words),
      words,
      logProbabilities: [...said.log_probabilities.slice(0, words.length)],
    };
  }
}

/** Returns the words of the ids before the first end or padding. */
export function sentence(ids, vocabulary) {
  const length = ids.findIndex((id) => id === END || id === PAD);
  return Array.from(length < 0 ? ids : ids.slice(0, length), (id) => vocabulary[id]);
}

/** Joins words and punctuation as people write them. */
export function detokenize(words) {
  return words.join(" ").replace(/ ([,.;:!?%)\]}…])/g, "$1").replace(/([([{#]) | (\/) /g, "$1$2");
}
