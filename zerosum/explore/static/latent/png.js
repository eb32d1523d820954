// PNG files (W3C, "Portable Network Graphics (PNG) Specification") that say what made them, as zerosum's own do.
const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});

function crc(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = TABLE[(sum ^ byte) & 255] ^ (sum >>> 8);
  return ~sum >>> 0;
}

function chunk(kind, ...parts) {
  const body = parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array(body + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, body);
  let at = 4;
  for (const part of [new TextEncoder().encode(kind), ...parts]) {
    bytes.set(part, at);
    at += part.length;
  }
  view.setUint32(at, crc(bytes.subarray(4, at)));
  return bytes;
}

const packed = async (bytes) =>
  new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate"))).arrayBuffer());

// What may stand between the quotes of an XML attribute.
const quoted = (text) => text.replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd]/g, " ").replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

// RGBA bytes as a PNG Blob. `mark`: an XMP packet, in which "@MADE@" stands for how this picture was made (plain values).
// A canvas would lose the colours of pixels that are nearly transparent; this does not.
export async function marked(pixels, width, height, mark, made) {
  const head = new DataView(new ArrayBuffer(13));
  head.setUint32(0, width);
  head.setUint32(4, height);
  head.setUint32(8, 0x08060000); // 8 bits, RGBA, deflate, adaptive filters
  const row = 4 * width;
  const lines = new Uint8Array(height * (row + 1)); // each begins with its filter, 0: none
  for (let y = 0; y < height; y++) lines.set(pixels.subarray(y * row, (y + 1) * row), y * (row + 1) + 1);
  const text = new TextEncoder().encode(mark.replace("@MADE@", () => quoted(JSON.stringify(made))));
  return new Blob(
    [
      Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
      chunk("IHDR", new Uint8Array(head.buffer)),
      chunk("iTXt", new TextEncoder().encode("XML:com.adobe.xmp\0\0\0\0\0"), text),
      chunk("IDAT", await packed(lines)),
      chunk("IEND"),
    ],
    { type: "image/png" }
  );
}
