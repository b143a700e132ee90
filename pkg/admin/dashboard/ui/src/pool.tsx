import { href } from "./address";
import { number, plural, rate, stateText, sum } from "./format";
import { useLive } from "./live";
import { DrainButton } from "./drain";
import { Bar, Loaded, Sparkline, Stat, Table } from "./parts";
import { reasons } from "./reasons";
import type { Endpoint, PoolDetail } from "./types";

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
  return (
    <>
      <Table caption="Pods" columns={["Pod", "State", "Sessions", "Idle", "Share", "New", "In flight", "Streams", "Last 10 minutes"]}
        numeric={["Sessions", "Idle", "New", "In flight", "Streams"]}>
        {pool.endpoints.map((endpoint) => <PodRow key={`${endpoint.id} ${endpoint.address}`} endpoint={endpoint} pool={pool} />)}
      </Table>
      <Replicas replicas={pool.replicas} />
    </>
  );
}

function PodRow(props: { endpoint: Endpoint; pool: PoolDetail }) {
  const { endpoint, pool } = props;
  const total = pool.sessions;
  const namespace = pool.id.split("/")[0]!;
  const isComplete = pool.replicas.every((replica) => !replica.error) && !endpoint.incomplete;
  const isEmpty = isComplete && endpoint.sessions === 0 && endpoint.inFlight === 0;
  const share = total > 0 ? endpoint.sessions / total : 0;
  return (
    <tr>
      <th scope="row">{endpoint.pod || endpoint.address}<span class="note">{endpoint.address}{endpoint.zone && `, zone ${endpoint.zone}`}</span></th>
      <td>
        <span class={`state ${endpoint.state}`}>{stateText(endpoint.state)}</span>
        {endpoint.state === "Draining" && <span class="note">{isEmpty ? "has no sessions: can be deleted" : "gets no new sessions"}</span>}
        <DrainButton namespace={namespace} endpoint={endpoint} />
      </td>
      <td class="number">{endpoint.incomplete && "at least "}{number(endpoint.sessions)}</td>
      <td class="number">{number(endpoint.idle)}</td>
      <td><Bar share={share} /> {Math.round(100 * share)} %</td>
      <td class="number">{number(Math.round(endpoint.newPerMinute))}/min</td>
      <td class="number">{number(endpoint.inFlight)}</td>
      <td class="number">{number(endpoint.streams)}</td>
      <td>{endpoint.history && <Sparkline samples={endpoint.history.sessions} label="Sessions" />}</td>
    </tr>
  );
}

// Replicas says which replicas the numbers of pods include.
function Replicas({ replicas }: { replicas: PoolDetail["replicas"] }) {
  const counted = replicas.filter((replica) => !replica.error);
  return (
    <>
      {replicas.filter((replica) => replica.error).map((replica) => (
        <p class="error" key={replica.name}>Not counted: {replica.name || replica.address || "other replicas"}: {replica.error}</p>
      ))}
      <p class="note">
        Sessions and requests in flight of {plural(counted.length, "replica")}. Idle sessions had no request for 5 minutes. Lines, and the
        outcomes of requests, are those of this replica.
      </p>
    </>
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
