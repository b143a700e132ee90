// Requests to the API of the same server. The token is kept for this tab only.

const tokenKey = "limpet-token";

export class APIError extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

export function setToken(token: string) {
  sessionStorage.setItem(tokenKey, token);
}

function headers(more: Record<string, string>): Record<string, string> {
  const token = sessionStorage.getItem(tokenKey);
  return token ? { ...more, Authorization: `Bearer ${token}` } : more;
}

async function request(path: string, options: RequestInit & { headers: Record<string, string> }): Promise<Response> {
  const response = await fetch(path, { ...options, headers: headers(options.headers), cache: "no-store" });
  if (!response.ok) {
    throw new APIError(response.status, (await response.text()).trim().slice(0, 1000));
  }
  return response;
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await request(path, { headers: {}, signal })).json() as Promise<T>;
}

export async function post<T>(path: string, contentType: string, body: string, signal?: AbortSignal): Promise<T> {
  const response = await request(path, { method: "POST", headers: { "Content-Type": contentType }, body, signal });
  return response.json() as Promise<T>;
}

// Caller is who the server takes this page for.
export interface Caller {
  name: string;
  read: boolean;
  control: boolean;
}

// follow calls onDocument with the document now and after each change, until the server ends the stream. EventSource cannot send
// the token.
export async function follow<T>(path: string, signal: AbortSignal, onDocument: (document: T) => void): Promise<void> {
  const response = await request(path, { headers: { Accept: "text/event-stream" }, signal });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) {
      return;
    }
    const events = (buffer + value).split("\n\n");
    buffer = events.pop()!;
    const last = events.findLast((event) => event.startsWith("data: "));
    if (last !== undefined) {
      onDocument(JSON.parse(last.slice("data: ".length)) as T);
    }
  }
}
