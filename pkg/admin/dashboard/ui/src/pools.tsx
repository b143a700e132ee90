import { href } from "./address";
import { number, rate, stateText, states, sum } from "./format";
import { useLive } from "./live";
import { Bar, listPath, Loaded, Pager, Search, Sparkline, Stat, Table } from "./parts";
import { reasons } from "./reasons";
import type { Endpoint, Page, Pool, PoolDetail } from "./types";

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

export function PoolView(props: { parameters: URLSearchParams }) {
  const id = props.parameters.get("id") ?? "";
  const live = useLive<PoolDetail>(`api/pool?${new URLSearchParams({ id })}`);
  return (
    <>
      <p><a href={href("pools")}>All pools</a> · <a href={href("routes", { q: id.split(":")[0]! })}>Routes of this name</a></p>
      <Loaded live={live}>
        {(pool) => (
          <>
            <dl class="stats">
              <Stat name="Sessions" value={number(pool.sessions)}>
                {pool.history && <Sparkline samples={pool.history.sessions} label="Sessions" />}
              </Stat>
              <Stat name="In flight" value={number(pool.inFlight)}>
                {pool.history && <Sparkline samples={pool.history.inFlight} label="Requests in flight" />}
              </Stat>
              {pool.history && (
                <>
                  <Stat name="Requests" value={rate(pool.history.requests.at(-1) ?? 0, pool.history.intervalSeconds)}>
                    <Sparkline samples={pool.history.requests} label="Requests in 5 seconds" />
                  </Stat>
                  <Stat name="Errors in 10 minutes" value={number(sum(pool.history.errors))} bad={sum(pool.history.errors) > 0}>
                    <Sparkline samples={pool.history.errors} label="Errors in 5 seconds" bad />
                  </Stat>
                  <Stat name="New sessions in 10 minutes" value={number(sum(pool.history.new))}>
                    <Sparkline samples={pool.history.new} label="New sessions in 5 seconds" />
                  </Stat>
                  <Stat name="Moved in 10 minutes" value={number(sum(pool.history.moved))}>
                    <Sparkline samples={pool.history.moved} label="Sessions moved in 5 seconds" />
                  </Stat>
                </>
              )}
            </dl>
            <Pods pool={pool} />
            <Outcomes pool={pool} />
          </>
        )}
      </Loaded>
    </>
  );
}

function Pods({ pool }: { pool: PoolDetail }) {
  const total = sum(pool.endpoints.map((endpoint) => endpoint.sessions));
  return (
    <Table caption="Pods" columns={["Pod", "State", "Sessions", "Share", "In flight", "Sessions in 10 minutes"]} numeric={["Sessions", "In flight"]}>
      {pool.endpoints.map((endpoint) => <PodRow key={`${endpoint.id} ${endpoint.address}`} endpoint={endpoint} total={total} />)}
    </Table>
  );
}

function PodRow(props: { endpoint: Endpoint; total: number }) {
  const { endpoint, total } = props;
  const share = total > 0 ? endpoint.sessions / total : 0;
  return (
    <tr>
      <th scope="row">{endpoint.pod || endpoint.address}<span class="note">{endpoint.address}{endpoint.zone && `, zone ${endpoint.zone}`}</span></th>
      <td><span class={`state ${endpoint.state}`}>{stateText(endpoint.state)}</span></td>
      <td class="number">{number(endpoint.sessions)}</td>
      <td><Bar share={share} /> {Math.round(100 * share)} %</td>
      <td class="number">{number(endpoint.inFlight)}</td>
      <td>{endpoint.history && <Sparkline samples={endpoint.history.sessions} label="Sessions" />}</td>
    </tr>
  );
}

function Outcomes({ pool }: { pool: PoolDetail }) {
  const { counts } = pool;
  if (!counts) {
    return <p>This pool had no recent traffic, or its traffic is not counted separately (<code>--metrics-detail</code>).</p>;
  }
  const rows = [...Object.entries(counts.outcomes).filter(([outcome]) => outcome !== "moved"),
    ...Object.entries(counts.moved).map(([reason, n]) => [`moved: ${reason}`, n] as [string, number])];
  return (
    <Table caption="Outcomes of requests" columns={["Outcome", "Requests", "Meaning"]} numeric={["Requests"]}>
      {rows.map(([outcome, n]) => (
        <tr key={outcome}>
          <th scope="row">{outcome}</th>
          <td class="number">{number(n)}</td>
          <td>{reasons[outcome] ?? ""}</td>
        </tr>
      ))}
    </Table>
  );
}
