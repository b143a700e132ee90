import { useState } from "preact/hooks";
import { post } from "./api";
import { Table } from "./parts";

// Report lists what manifests change, as in package preview.
interface Report {
  changes: { kind: string; where: string; text: string }[] | null;
  counts: Record<string, number>;
}

const meanings: Record<string, string> = {
  stops: "stops working",
  problem: "new problem",
  sessions: "sessions start again",
  protection: "protection changes",
  tls: "certificate changes",
  backend: "backend changes",
  source: "another object",
  settings: "settings change",
  starts: "starts working",
  solved: "problem solved",
};

export function CheckView() {
  const [report, setReport] = useState<Report>();
  const [error, setError] = useState("");
  const submit = async (manifests: string) => {
    try {
      setReport(await post<Report>("check", "application/yaml", manifests));
      setError("");
    } catch (e) {
      setReport(undefined);
      setError((e as Error).message);
    }
  };
  return (
    <>
      <p>Paste manifests to see what would change if you applied them. Nothing is applied.</p>
      <form class="fields wide" onSubmit={(event) => {
        event.preventDefault();
        void submit(String(new FormData(event.currentTarget).get("manifests") ?? ""));
      }}>
        <label>
          Manifests in YAML
          <textarea class="code" name="manifests" rows={14} required spellcheck={false} />
        </label>
        <button type="submit">Check</button>
      </form>
      <div aria-live="polite">
        {error && <p class="error">{error}</p>}
        {report && (report.changes?.length ? (
          <Table caption="Changes, those first that matter most" columns={["Change", "Where", "Description"]}>
            {report.changes.map((change, i) => (
              <tr key={i}>
                <th scope="row" class={change.kind === "stops" || change.kind === "problem" ? "bad" : undefined}>{meanings[change.kind] ?? change.kind}</th>
                <td>{change.where}</td>
                <td>{change.text}</td>
              </tr>
            ))}
          </Table>
        ) : <p>Nothing changes.</p>)}
      </div>
    </>
  );
}
