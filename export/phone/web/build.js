// Gathers in dist/ all that a web server has to give out: npm run build -- birds.tflite
import { cpSync, rmSync } from "node:fs";
import { resolve } from "node:path";

const litert = "node_modules/@litertjs";
const copies = {
  [`${litert}/core/dist/index.js`]: "litert/core.js",
  [`${litert}/wasm-utils/dist/index.js`]: "litert/wasm-utils.js",
};
for (const name of ["index.html", "page.js", "interpnet_lite.js", "associated_files.js", "picture.js"]) {
  copies[name] = name;
}
// LiteRT.js takes the second where a browser lacks relaxed SIMD.
for (const name of ["litert_wasm_internal", "litert_wasm_compat_internal"]) {
  for (const kind of ["js", "wasm"]) copies[`${litert}/core/wasm/${name}.${kind}`] = `litert/wasm/${name}.${kind}`;
}
const [model] = process.argv.slice(2);
if (model) copies[resolve(process.env.INIT_CWD ?? ".", model)] = "model.tflite";

rmSync("dist", { recursive: true, force: true });
for (const [from, to] of Object.entries(copies)) cpSync(from, `dist/${to}`);
