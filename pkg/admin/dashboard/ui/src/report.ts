// Report is the explanation of a request, as in package explain.
export interface Report {
  token?: {
    valid: boolean;
    started?: string;
    renewed?: string;
    pods?: ({ pool: string } & Pod)[];
    backends?: { pool: string; affinity: string; expires?: string; expired?: boolean }[];
  };
  client?: string;
  host?: string;
  path?: string;
  passthrough?: boolean;
  route?: { host: string; path: string; pathType: string; source: string; closed?: string };
  noRoute?: { reason: string; nearest?: string[] };
  filters?: { name: string; status?: number; decisions?: { object: string; annotation?: string; text?: string }[] }[];
  forward?: string;
  backend?: { pool: string; split?: string; affinity?: string; ready: number; total: number };
  methods?: { source: string; binding: string; name?: string; result: string; pod?: string }[];
  outcome?: string;
  reason?: string;
  wait?: string;
  pod?: Pod;
  response?: { status: number; location?: string; text?: string };
  problems?: { object: string; field?: string; reason: string; message: string }[];
}

interface Pod {
  pod?: string;
  address: string;
  zone?: string;
  state: string;
}

type Row = [step: string, decision: string];

function join(...words: (string | undefined)[]): string {
  return words.filter((word) => word).join(", ");
}

function podText(pod: Pod): string {
  return join(pod.pod, pod.address, pod.state, pod.zone);
}

// reportRows returns one row for each decision.
export function reportRows(report: Report): Row[] {
  return [...tokenRows(report), ...routeRows(report), ...filterRows(report), ...backendRows(report), ...problemRows(report)];
}

function tokenRows({ token }: Report): Row[] {
  if (!token) {
    return [];
  }
  if (!token.valid) {
    return [["Token", "invalid: no key of Limpet sealed it, or it was changed"]];
  }
  const rows: Row[] = [["Token", join(`session started ${token.started}`, `renewed ${token.renewed}`)]];
  for (const backend of token.backends ?? []) {
    const expiry = backend.expires ? `${backend.expired ? "expired" : "expires"} ${backend.expires}` : "does not expire";
    rows.push(["Valid for", join(backend.pool, `affinity of ${backend.affinity}`, expiry)]);
  }
  if (!token.backends?.length) {
    rows.push(["Valid for", "no backend: no route has the scope of the token"]);
  } else if (!token.pods?.length) {
    rows.push(["Pod of the token", "gone"]);
  }
  for (const pod of token.pods ?? []) {
    rows.push(["Pod of the token", `${podText(pod)} of ${pod.pool}`]);
  }
  return rows;
}

function routeRows(report: Report): Row[] {
  const { route, noRoute } = report;
  if (!report.client) {
    return [];
  }
  const rows: Row[] = [["Client", report.client], ["Match", `host ${report.host}, path ${report.path}`]];
  if (report.passthrough) {
    rows.push(["TLS", "passed through to the pod: no route and no filter applies"]);
  }
  if (route) {
    rows.push(["Route", join(`host ${route.host || "any"}`, `path ${route.path}`, route.pathType, `from ${route.source}`)]);
    if (route.closed) {
      rows.push(["Closed", route.closed]);
    }
  }
  if (noRoute) {
    rows.push(["Route", `none: ${noRoute.reason}`], ["Nearest", noRoute.nearest?.join(", ") ?? "none"]);
  }
  return rows;
}

function filterRows(report: Report): Row[] {
  return (report.filters ?? []).flatMap((filter) => [
    ["Filter", `${filter.name}: ${filter.status ? `responds ${filter.status}` : "continues"}`] as Row,
    ...(filter.decisions ?? []).map((d) => ["", join(d.annotation && `${d.annotation} of ${d.object}`, d.text)] as Row),
  ]);
}

function backendRows(report: Report): Row[] {
  const { backend, response } = report;
  const rows: Row[] = [];
  if (backend) {
    rows.push(["Backend", join(backend.pool, `${backend.ready} of ${backend.total} pods ready`, backend.split && `chosen: ${backend.split}`)]);
    rows.push(["Affinity", backend.affinity || "none"]);
    for (const m of report.methods ?? []) {
      rows.push(["Method", join(`${m.source} ${m.binding}`, m.name, m.result, m.pod)]);
    }
    rows.push(["Outcome", join(report.outcome, report.reason, report.wait && `waits up to ${report.wait}`)]);
  }
  if (report.pod) {
    rows.push(["Pod", podText(report.pod)], ["Forwarded target", report.forward ?? ""]);
  }
  if (response) {
    rows.push(["Response", join(String(response.status), response.text?.trim(), response.location)]);
  }
  return rows;
}

function problemRows(report: Report): Row[] {
  return (report.problems ?? []).map((p) => ["Problem", join(p.object, p.field, `${p.reason}: ${p.message}`)]);
}
