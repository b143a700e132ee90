import { href } from "./address";
import { number, sum } from "./format";
import { useLive } from "./live";
import { listPath, Loaded, Pager, Search, Sparkline, Table } from "./parts";
import { reasons } from "./reasons";
import type { Page, Pool } from "./types";

export function MovesView(props: { parameters: URLSearchParams }) {
  const live = useLive<Page<Pool>>(listPath("pools", props.parameters, { sort: "moved" }));
  return (
    <>
      <Search view="moves" label="Namespace or Service" parameters={props.parameters} />
      <Loaded live={live}>
        {(page) => {
          const moved = page.items.filter((pool) => sum(Object.values(pool.counts?.moved ?? {})) > 0);
          return (
            <>
              <Pager view="moves" page={page} parameters={props.parameters} what="pools, most moves first" />
              {moved.length === 0 ? <p>No session of these pools has moved.</p> : (
                <Table caption="Sessions that moved" columns={["Pool", "Moved", "Last 10 minutes", "Why"]} numeric={["Moved"]}>
                  {moved.map((pool) => <Row key={pool.id} pool={pool} />)}
                </Table>
              )}
            </>
          );
        }}
      </Loaded>
    </>
  );
}

function Row({ pool }: { pool: Pool }) {
  const byReason = Object.entries(pool.counts!.moved);
  return (
    <tr>
      <th scope="row"><a href={href("pool", { id: pool.id })}>{pool.id}</a></th>
      <td class="number">{number(sum(byReason.map(([, n]) => n)))}</td>
      <td>{pool.history && <Sparkline samples={pool.history.moved} label="Sessions moved in 5 seconds" />}</td>
      <td>
        {byReason.map(([reason, n]) => (
          <span class="line" key={reason}>{number(n)} {reason}: {reasons[`moved: ${reason}`] ?? ""}</span>
        ))}
      </td>
    </tr>
  );
}
