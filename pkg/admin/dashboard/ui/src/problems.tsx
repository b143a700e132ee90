import { reference } from "./format";
import { useLive } from "./live";
import { listPath, Loaded, Pager, Search, Table } from "./parts";
import type { Page, Problem } from "./types";

export function ProblemsView(props: { parameters: URLSearchParams }) {
  const live = useLive<Page<Problem>>(listPath("problems", props.parameters));
  return (
    <>
      <Search view="problems" label="Object, field, reason or message" parameters={props.parameters} />
      <Loaded live={live}>
        {(page) => (
          <>
            <Pager view="problems" page={page} parameters={props.parameters} what="problems" />
            {page.total > 0 && (
              <Table caption="Problems" columns={["Object", "Field", "Problem", "What to do"]}>
                {page.items.map((problem, i) => (
                  <tr key={i}>
                    <th scope="row">{reference(problem.object)}</th>
                    <td>{problem.field ? <code>{problem.field}</code> : "none"}</td>
                    <td>{problem.message}<span class="note">{problem.reason}</span></td>
                    <td>{problem.advice}</td>
                  </tr>
                ))}
              </Table>
            )}
          </>
        )}
      </Loaded>
    </>
  );
}
