import { render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { href, useAddress, type Address } from "./address";
import { APIError, get, setToken, type Caller } from "./api";
import { CertificatesView } from "./certificates";
import { CheckView } from "./check";
import { CallerContext } from "./drain";
import { ExplainView } from "./explain";
import { MovesView } from "./moves";
import { OverviewView } from "./overview";
import { PoolView } from "./pool";
import { PoolsView } from "./pools";
import { ProblemsView } from "./problems";
import { RoutesView } from "./routes";

const views = [
  ["overview", "Overview"],
  ["routes", "Routes"],
  ["pools", "Pools and pods"],
  ["moves", "Moved sessions"],
  ["problems", "Problems"],
  ["certificates", "Certificates"],
  ["explain", "Explain"],
  ["check", "Preview a change"],
] as const;

function titleOf(address: Address): string {
  if (address.view === "pool") {
    return `Pool ${address.parameters.get("id") ?? ""}`;
  }
  return views.find(([view]) => view === address.view)?.[1] ?? "No such page";
}

function View({ view, parameters }: Address) {
  switch (view) {
    case "overview": return <OverviewView />;
    case "routes": return <RoutesView parameters={parameters} />;
    case "pools": return <PoolsView parameters={parameters} />;
    case "pool": return <PoolView parameters={parameters} />;
    case "moves": return <MovesView parameters={parameters} />;
    case "problems": return <ProblemsView parameters={parameters} />;
    case "certificates": return <CertificatesView parameters={parameters} />;
    case "explain": return <ExplainView />;
    case "check": return <CheckView />;
  }
  return <p><a href={href("overview")}>Overview</a></p>;
}

function App() {
  const address = useAddress();
  const heading = useRef<HTMLHeadingElement>(null);
  const title = titleOf(address);
  const isFirst = useRef(true);
  useEffect(() => {
    document.title = `${title} - Limpet`;
    if (!isFirst.current) {
      heading.current?.focus(); // screen readers announce the new view
    }
    isFirst.current = false;
  }, [title]);
  const section = address.view === "pool" ? "pools" : address.view;
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => {
        event.preventDefault();
        heading.current?.focus();
      }}>Skip to content</a>
      <header>
        <span class="brand">Limpet</span>
        <nav aria-label="Views">
          {views.map(([view, name]) => (
            <a key={view} href={href(view)} aria-current={view === section ? "page" : undefined}>{name}</a>
          ))}
        </nav>
      </header>
      <main id="main">
        <h1 ref={heading} tabIndex={-1}>{title}</h1>
        <Gate><View {...address} key={title} /></Gate>
      </main>
    </>
  );
}

// Gate shows its children if the page may read, and otherwise a form for the token.
function Gate(props: { children: preact.ComponentChildren }) {
  const [error, setError] = useState<APIError>();
  const [caller, setCaller] = useState<Caller>();
  const check = async () => {
    try {
      await get("api/problems?limit=1");
      setCaller(await get<Caller>("api/access"));
    } catch (e) {
      setError(e instanceof APIError ? e : new APIError(0, `Limpet cannot be reached: ${(e as Error).message}`));
    }
  };
  useEffect(() => void check(), []);
  if (caller) {
    return <CallerContext.Provider value={caller}>{props.children}</CallerContext.Provider>;
  }
  if (error?.status === 401) {
    return <TokenForm message={error.message} onToken={check} />;
  }
  if (error) {
    return (
      <>
        <p class="error" role="alert">{error.message}</p>
        <button type="button" onClick={check}>Try again</button>
      </>
    );
  }
  return <p role="status">Loading…</p>;
}

function TokenForm(props: { message: string; onToken: () => void }) {
  return (
    <form class="fields" onSubmit={(event) => {
      event.preventDefault();
      setToken(String(new FormData(event.currentTarget).get("token") ?? "").trim());
      props.onToken();
    }}>
      <p role="status">Limpet needs a token: {props.message}</p>
      <label>
        Token
        <input name="token" type="password" autocomplete="off" required />
      </label>
      <p class="note">This tab keeps the token until you close it.</p>
      <button type="submit">Continue</button>
    </form>
  );
}

render(<App />, document.getElementById("app")!);
