// Reads the text files that lie as a zip archive behind a model: the convention of TensorFlow Lite Metadata.
// The archive's layout: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT

const END_OF_DIRECTORY = 0x06054b50;
const STORED = 0;

/** Returns the text of each file by its name. `bytes` is the whole .tflite file, a Uint8Array. */
export function associatedFiles(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = bytes.length - 22; // the last record has 22 bytes, and a comment where somebody wrote one
  while (end >= 0 && view.getUint32(end, true) !== END_OF_DIRECTORY) end--;
  if (end < 0) throw new Error("no words and class names are packed into the file; `interpnet export` packs them");

  const text = (start, length) => new TextDecoder().decode(bytes.subarray(start, start + length));
  const files = {};
  let entry = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    const nameLength = view.getUint16(entry + 28, true);
    const name = text(entry + 46, nameLength);
    if (view.getUint16(entry + 10, true) !== STORED) throw new Error(`${name} is packed compressed; pack it stored`);
    const header = view.getUint32(entry + 42, true);
    const start = header + 30 + view.getUint16(header + 26, true) + view.getUint16(header + 28, true);
    files[name] = text(start, view.getUint32(entry + 24, true));
    entry += 46 + nameLength + view.getUint16(entry + 30, true) + view.getUint16(entry + 32, true);
  }
  return files;
}
