import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { href, replace } from "./address";
import { number } from "./format";
import type { Live } from "./live";
import type { Page } from "./types";

// Loaded shows a document, or why there is none.
export function Loaded<T>(props: { live: Live<T>; children: (document: T) => ComponentChildren }) {
  const { document, error } = props.live;
  return (
    <>
      {error && <p class="error" role="alert">Not up to date: {error.message}</p>}
      {document ? props.children(document) : !error && <p role="status">Loading…</p>}
    </>
  );
}

const width = 120;
const height = 28;

// Sparkline draws the samples of the last 10 minutes, with the newest at the right edge.
export function Sparkline(props: { samples: number[]; label: string; bad?: boolean; slots?: number }) {
  const { samples, slots = 120 } = props;
  const highest = Math.max(1, ...samples);
  const step = width / (slots - 1);
  const first = width - (samples.length - 1) * step;
  const points = samples.map((n, i) => `${(first + i * step).toFixed(1)},${(height - 2 - (n / highest) * (height - 4)).toFixed(1)}`);
  const newest = samples.at(-1) ?? 0;
  return (
    <svg class={props.bad ? "spark bad" : "spark"} viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img"
      aria-label={`${props.label}: now ${number(newest)}, at most ${number(samples.length ? Math.max(...samples) : 0)}`}>
      <polyline points={points.join(" ")} />
    </svg>
  );
}

// Bar shows a share between 0 and 1. The text beside it has the number.
export function Bar(props: { share: number }) {
  return (
    <svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
      <rect class="rest" width="100" height="8" />
      <rect width={(100 * props.share).toFixed(1)} height="8" />
    </svg>
  );
}

export function Stat(props: { name: string; value: string; link?: string; bad?: boolean; children?: ComponentChildren }) {
  return (
    <div class={props.bad ? "stat bad" : "stat"}>
      <dt>{props.link ? <a href={props.link}>{props.name}</a> : props.name}</dt>
      <dd>
        <span class="value">{props.value}</span>
        {props.children}
      </dd>
    </div>
  );
}

// Table is a table that scrolls on small screens. Its rows are the children.
export function Table(props: { caption: string; columns: string[]; numeric?: string[]; children: ComponentChildren }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={props.caption}>
      <table>
        <caption>{props.caption}</caption>
        <thead>
          <tr>
            {props.columns.map((column) => (
              <th key={column} scope="col" class={props.numeric?.includes(column) ? "number" : undefined}>{column}</th>
            ))}
          </tr>
        </thead>
        <tbody>{props.children}</tbody>
      </table>
    </div>
  );
}

// Search changes the parameter q of a view while the user types.
export function Search(props: { view: string; label: string; parameters: URLSearchParams; children?: ComponentChildren }) {
  const q = props.parameters.get("q") ?? "";
  const [text, setText] = useState(q);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const others = Object.fromEntries([...props.parameters].filter(([name]) => name !== "q" && name !== "offset"));
  const search = (value: string) => replace(props.view, { ...others, q: value.trim() });
  return (
    <form role="search" class="search" onSubmit={(event) => {
      event.preventDefault();
      clearTimeout(timer.current);
      search(text);
    }}>
      <label>
        {props.label}
        <input type="search" maxLength={200} value={text} autocomplete="off" spellcheck={false} onInput={(event) => {
          const value = event.currentTarget.value;
          setText(value);
          clearTimeout(timer.current);
          timer.current = setTimeout(() => search(value), 250);
        }} />
      </label>
      {props.children}
    </form>
  );
}

// Pager links to the pages of a list.
export function Pager(props: { view: string; page: Page<unknown>; parameters: URLSearchParams; what: string }) {
  const { total, offset, limit, items } = props.page;
  const to = (at: number) => href(props.view, { ...Object.fromEntries(props.parameters), offset: at });
  const range = total === 0 ? `No ${props.what}` : `${number(offset + 1)} to ${number(offset + items.length)} of ${number(total)} ${props.what}`;
  return (
    <nav class="pager" aria-label="Pages">
      <span role="status">{range}</span>
      {offset > 0 && <a href={to(Math.max(0, offset - limit))}>Previous</a>}
      {offset + items.length < total && <a href={to(offset + limit)}>Next</a>}
    </nav>
  );
}

// listPath returns the path of a list in the API for the parameters of its view.
export function listPath(name: string, parameters: URLSearchParams, more: Record<string, string> = {}): string {
  const query = new URLSearchParams(more);
  for (const key of ["q", "namespace", "sort", "offset"]) {
    const value = parameters.get(key);
    if (value) {
      query.set(key, value);
    }
  }
  return `api/${name}?${query}`;
}
