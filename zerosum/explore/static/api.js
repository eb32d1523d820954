// Ask the server: JSON or bytes in; JSON, an array of bytes or a blob out; errors carry the server's words. `tagged`: {value, tag}
// with the answer's ETag.
export async function ask(path, { json, body, type, signal, tagged } = {}) {
  const method = json !== undefined || body !== undefined ? "POST" : "GET";
  const headers = json !== undefined ? { "content-type": "application/json" } : type ? { "content-type": type } : {};
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: json !== undefined ? JSON.stringify(json) : body, signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("zerosum explore does not answer: is it still running in its terminal?");
  }
  const kind = answer.headers.get("content-type") || "";
  if (!answer.ok) {
    const why = kind.includes("json") ? (await answer.json()).error : await answer.text();
    throw new Error(why || `the server said ${answer.status}`);
  }
  const value = kind.includes("json") ? await answer.json() : kind.includes("octet-stream") ? await answer.arrayBuffer() : await answer.blob();
  return tagged ? { value, tag: answer.headers.get("etag") } : value;
}

// The path of a run's panel: name and parts are encoded, whatever they hold.
export const path = (run, ...parts) => ["/api/run", run, ...parts].map((part, i) => (i ? encodeURIComponent(part) : part)).join("/");
