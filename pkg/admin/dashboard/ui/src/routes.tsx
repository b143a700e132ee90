import { href } from "./address";
import { number, reference } from "./format";
import { useLive } from "./live";
import { listPath, Loaded, Pager, Search, Table } from "./parts";
import type { Page, Route } from "./types";

export function RoutesView(props: { parameters: URLSearchParams }) {
  const live = useLive<Page<Route>>(listPath("routes", props.parameters));
  return (
    <>
      <Search view="routes" label="Host, path, namespace or name" parameters={props.parameters} />
      <Loaded live={live}>
        {(page) => (
          <>
            <Pager view="routes" page={page} parameters={props.parameters} what="routes" />
            {page.total > 0 && (
              <Table caption="Routes" columns={["Host and path", "Source", "Backends", "Filters", "Requests"]}>
                {page.items.map((route) => <Row key={`${route.host} ${route.path} ${route.pathType} ${reference(route.source)}`} route={route} />)}
              </Table>
            )}
          </>
        )}
      </Loaded>
    </>
  );
}

function Row({ route }: { route: Route }) {
  return (
    <tr>
      <th scope="row">
        {hostText(route.host)}{route.path}
        <span class="note">{route.pathType}{route.conditional && ", with conditions"}</span>
        {route.closed && <span class="note bad">Closed: {route.closed}</span>}
      </th>
      <td>{reference(route.source)}</td>
      <td>
        {route.backends.length === 0 && <span class="bad">none: requests get 503</span>}
        {route.backends.map((backend) => (
          <span class="line" key={backend.pool}>
            <a href={href("pool", { id: backend.pool })}>{backend.pool}</a>
            {route.backends.length > 1 && ` weight ${backend.weight}`}
            <span class="note">{backend.affinity ? `sticky by ${reference(backend.affinity)}` : "not sticky"}</span>
          </span>
        ))}
      </td>
      <td>{route.filters.join(", ") || "none"}</td>
      <td>{number(route.requests)}<span class="note">{route.lastUsed ? `last ${new Date(route.lastUsed).toLocaleString()}` : "not used"}</span></td>
    </tr>
  );
}

function hostText(host: string): string {
  if (host === "") {
    return "any host ";
  }
  return host === "*" ? "unmatched requests " : host;
}
