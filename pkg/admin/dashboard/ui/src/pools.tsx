import { href } from "./address";
import { number, rate, states, sum } from "./format";
import { useLive } from "./live";
import { listPath, Loaded, Pager, Search, Sparkline, Table } from "./parts";
import type { Page, Pool } from "./types";

export function PoolsView(props: { parameters: URLSearchParams }) {
  const live = useLive<Page<Pool>>(listPath("pools", props.parameters));
  return (
    <>
      <Search view="pools" label="Namespace or Service" parameters={props.parameters} />
      <p>
        {props.parameters.get("sort") === "sessions" ? <a href={href("pools")}>Sort by name</a> : <a href={href("pools", { sort: "sessions" })}>Sort by sessions</a>}
      </p>
      <Loaded live={live}>
        {(page) => (
          <>
            <Pager view="pools" page={page} parameters={props.parameters} what="pools" />
            {page.total > 0 && (
              <Table caption="Pools" columns={["Pool", "Pods", "Sessions", "In flight", "Requests", "Errors"]} numeric={["Sessions", "In flight"]}>
                {page.items.map((pool) => <Row key={pool.id} pool={pool} />)}
              </Table>
            )}
          </>
        )}
      </Loaded>
    </>
  );
}

function Row({ pool }: { pool: Pool }) {
  const { history } = pool;
  return (
    <tr>
      <th scope="row"><a href={href("pool", { id: pool.id })}>{pool.id}</a></th>
      <td>{states(pool.pods)}</td>
      <td class="number">{number(pool.sessions)}</td>
      <td class="number">{number(pool.inFlight)}</td>
      <td>{history ? <><Sparkline samples={history.requests} label="Requests in 5 seconds" /> {rate(history.requests.at(-1) ?? 0, history.intervalSeconds)}</> : "no recent traffic"}</td>
      <td>{history && (sum(history.errors) > 0 ? <><Sparkline samples={history.errors} label="Errors in 5 seconds" bad /> {number(sum(history.errors))} in 10 minutes</> : "none")}</td>
    </tr>
  );
}
