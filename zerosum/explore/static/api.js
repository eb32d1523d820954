// Ask the server: JSON or bytes in; JSON, an array of bytes or a blob out; errors carry the server's words.
export async function ask(path, { json, body, type, signal } = {}) {
  const method = json !== undefined || body !== undefined ? "POST" : "GET";
  const headers = json !== undefined ? { "content-type": "application/json" } : type ? { "content-type": type } : {};
  const answer = await fetch(path, { method, headers, body: json !== undefined ? JSON.stringify(json) : body, signal });
  const kind = answer.headers.get("content-type") || "";
  if (!answer.ok) {
    const why = kind.includes("json") ? (await answer.json()).error : await answer.text();
    throw new Error(why || `the server said ${answer.status}`);
  }
  if (kind.includes("json")) return answer.json();
  return kind.includes("octet-stream") ? answer.arrayBuffer() : answer.blob();
}

// The path of a run's panel: name and parts are encoded, whatever they hold.
export const path = (run, ...parts) => ["/api/run", run, ...parts].map((part, i) => (i ? encodeURIComponent(part) : part)).join("/");
