import { createContext } from "preact";
import { useContext, useState } from "preact/hooks";
import { post, type Caller } from "./api";
import type { Endpoint } from "./types";

// CallerContext has the rights of the page.
export const CallerContext = createContext<Caller>({ name: "", read: false, control: false });

// The server keeps the mark for the time of the request even if the page is closed. Within markTime it has told all replicas.
const drainTime = "1h";
const markTime = 10_000;

// DrainButton drains a pod that gets new sessions, if the page may do so.
export function DrainButton(props: { namespace: string; endpoint: Endpoint }) {
  const { namespace, endpoint } = props;
  const [error, setError] = useState("");
  const [isBusy, setBusy] = useState(false);
  const { control } = useContext(CallerContext);
  const { pod } = endpoint;
  if (!pod || !control || endpoint.state !== "Ready") {
    return null;
  }
  const drain = async () => {
    if (!confirm(`Drain ${pod} for ${drainTime}? It keeps its sessions and gets no new ones.`)) {
      return;
    }
    const request = new AbortController();
    const timer = setTimeout(() => request.abort(), markTime);
    setBusy(true);
    setError("");
    try {
      await post(`drain/${encodeURIComponent(namespace)}/${encodeURIComponent(pod)}?wait=${drainTime}`, "text/plain", "", request.signal);
    } catch (e) {
      if (!request.signal.aborted) {
        setError((e as Error).message);
      }
    }
    clearTimeout(timer);
    setBusy(false);
  };
  return (
    <>
      <button type="button" disabled={isBusy} aria-label={`Drain ${pod}`} onClick={() => void drain()}>Drain</button>
      {error && <span class="note bad" role="alert">{error}</span>}
    </>
  );
}
