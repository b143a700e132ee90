import { href } from "./address";
import { number, plural, rate, states, sum } from "./format";
import { useLive } from "./live";
import { Loaded, Sparkline, Stat, Table } from "./parts";
import type { Overview, Summary } from "./types";

export function OverviewView() {
  const live = useLive<Overview>("api/overview");
  return (
    <Loaded live={live}>
      {(o) => {
        const { history } = o;
        const last = (samples: number[]) => rate(samples.at(-1) ?? 0, history.intervalSeconds);
        return (
          <>
            {!o.ready && <p class="error" role="alert">This replica is not ready, so no traffic should be sent to it.</p>}
            <h2>Traffic of this replica</h2>
            <dl class="stats">
              <Stat name="Requests" value={last(history.requests)}>
                <Sparkline samples={history.requests} label="Requests in 5 seconds" />
                <span class="note">{number(sum(history.requests))} in 10 minutes</span>
              </Stat>
              <Stat name="Errors (5xx)" value={last(history.errors)} bad={sum(history.errors) > 0}>
                <Sparkline samples={history.errors} label="Errors in 5 seconds" bad />
                <span class="note">{number(sum(history.errors))} in 10 minutes</span>
              </Stat>
              <Stat name="Sessions" value={number(o.sessions)} link={href("pools", { sort: "sessions" })}>
                <Sparkline samples={history.sessions} label="Sessions" />
              </Stat>
              <Stat name="Sessions moved in 10 minutes" value={number(sum(history.moved))} link={href("moves")}>
                <Sparkline samples={history.moved} label="Sessions moved in 5 seconds" />
              </Stat>
              <Stat name="In flight" value={number(o.inFlight)}>
                <Sparkline samples={history.inFlight} label="Requests in flight" />
              </Stat>
            </dl>
            <h2>Configuration</h2>
            <dl class="stats">
              <Stat name="Problems" value={number(o.problems)} link={href("problems")} bad={o.problems > 0} />
              <Stat name="Routes" value={number(o.routes)} link={href("routes")} bad={o.closed > 0}>
                {o.closed > 0 && <span class="note">{number(o.closed)} closed</span>}
              </Stat>
              <Stat name="Pools" value={number(o.pools)} link={href("pools")} bad={o.empty > 0}>
                {o.empty > 0 && <span class="note">{number(o.empty)} without pods</span>}
              </Stat>
              <Stat name="Pods" value={number(sum(Object.values(o.pods)))}>
                <span class="note">{states(o.pods)}</span>
              </Stat>
              <Stat name="Certificates" value={number(o.certificates)} link={href("certificates")} bad={o.expiring > 0}>
                {o.expiring > 0 && <span class="note">{plural(o.expiring, "expires", "expire")} within 14 days</span>}
              </Stat>
            </dl>
            <Replicas />
          </>
        );
      }}
    </Loaded>
  );
}

function Replicas() {
  const live = useLive<Summary>("api/replicas");
  return (
    <>
      <h2>Replicas</h2>
      <Loaded live={live}>
        {(summary) => (
          <>
            {summary.replicas.length > 1 && (
              <p class={summary.agree ? undefined : "error"}>
                {summary.agree ? "All replicas serve the same table." : "The replicas do not agree, or not all respond."}
              </p>
            )}
            {summary.attention?.map((text) => <p class="error" key={text}>{text}</p>)}
            <Table caption="Replicas of this installation" columns={["Replica", "State", "Version", "Table digest", "Table generation", "Table built"]}>
              {summary.replicas.map((member) => <ReplicaRow key={member.name} {...member} />)}
            </Table>
          </>
        )}
      </Loaded>
    </>
  );
}

function ReplicaRow({ name, error, replica }: Summary["replicas"][number]) {
  const state = replica ? `${replica.ready ? "ready" : "not ready"}${replica.role ? `, ${replica.role}` : ""}` : error;
  return (
    <tr>
      <th scope="row">{name}</th>
      <td class={replica?.ready ? undefined : "bad"}>{state}</td>
      <td>{replica?.version}</td>
      <td>{replica && <code>{replica.digest}</code>}</td>
      <td>{replica && number(replica.generation)}</td>
      <td>{replica?.builtAt && new Date(replica.builtAt).toLocaleString()}</td>
    </tr>
  );
}
