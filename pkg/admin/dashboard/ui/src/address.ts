import { useEffect, useState } from "preact/hooks";

// Address is the view and its parameters. They are in the fragment of the URL: "#/routes?q=cart".
export interface Address {
  view: string;
  parameters: URLSearchParams;
}

function current(): Address {
  const [view = "", parameters = ""] = location.hash.replace(/^#\/?/, "").split("?", 2);
  return { view: view || "overview", parameters: new URLSearchParams(parameters) };
}

export function useAddress(): Address {
  const [address, setAddress] = useState(current);
  useEffect(() => {
    const update = () => setAddress(current());
    addEventListener("hashchange", update);
    return () => removeEventListener("hashchange", update);
  }, []);
  return address;
}

// href returns the link to a view. Empty parameters are left out.
export function href(view: string, parameters: Record<string, string | number> = {}): string {
  const kept = Object.entries(parameters).filter(([, value]) => value !== "" && value !== 0);
  const query = new URLSearchParams(kept.map(([name, value]) => [name, String(value)])).toString();
  return `#/${view}${query ? `?${query}` : ""}`;
}

// replace changes the parameters without a new entry in the history of the browser.
export function replace(view: string, parameters: Record<string, string | number>) {
  history.replaceState(null, "", href(view, parameters));
  dispatchEvent(new HashChangeEvent("hashchange"));
}
