import { useEffect, useState } from "preact/hooks";
import { APIError, follow, get } from "./api";

// Live is a document of the API that is kept current.
export interface Live<T> {
  document?: T;
  // error is why there is no newer document. The last one is kept.
  error?: Error;
}

const minDelay = 1_000;
const maxDelay = 10_000;

// useLive follows a document while the tab is visible. Without a free stream it polls.
export function useLive<T>(path: string): Live<T> {
  const [live, setLive] = useState<Live<T> & { path: string }>({ path });
  useEffect(() => {
    let stop = new AbortController();
    const show = (document: T) => setLive({ path, document });
    const run = async (signal: AbortSignal) => {
      let delay = minDelay;
      while (!signal.aborted) {
        try {
          await follow<T>(path, signal, (document) => {
            delay = minDelay;
            show(document);
          });
        } catch (error) {
          if (signal.aborted) {
            return;
          }
          if (!(error instanceof APIError && error.status === 503 && (await poll(path, signal, show)))) {
            setLive((last) => ({ path, document: last.path === path ? last.document : undefined, error: error as Error }));
          }
        }
        await wait(delay, signal);
        delay = Math.min(2 * delay, maxDelay);
      }
    };
    const onVisibility = () => {
      stop.abort();
      if (!document.hidden) {
        stop = new AbortController();
        void run(stop.signal);
      }
    };
    onVisibility();
    document.addEventListener("visibilitychange", onVisibility);
    return () => {
      document.removeEventListener("visibilitychange", onVisibility);
      stop.abort();
    };
  }, [path]);
  return live.path === path ? live : {};
}

// poll shows the document once, and returns whether it could.
async function poll<T>(path: string, signal: AbortSignal, show: (document: T) => void): Promise<boolean> {
  try {
    show(await get<T>(path, signal));
    return true;
  } catch {
    return false;
  }
}

function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
