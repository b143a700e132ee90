import { useState } from "preact/hooks";
import { post } from "./api";
import { Table } from "./parts";
import { reportRows, type Report } from "./report";

// lines returns the lines of a text that are not empty.
function lines(text: string): string[] {
  return text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
}

export function ExplainView() {
  const [report, setReport] = useState<Report>();
  const [error, setError] = useState("");
  const submit = async (form: HTMLFormElement) => {
    const values = new FormData(form);
    const text = (name: string) => String(values.get(name) ?? "").trim();
    try {
      setReport(await post<Report>("explain", "application/json", JSON.stringify({
        url: text("url"), method: text("method"), headers: lines(text("headers")), cookies: lines(text("cookies")),
        sourceIP: text("sourceIP"), token: text("token"), withoutPods: lines(text("withoutPods")), after: text("after"),
      })));
      setError("");
    } catch (e) {
      setReport(undefined);
      setError((e as Error).message);
    }
  };
  return (
    <>
      <p>Describe a request to see which route, filters and pod it gets, and why. No pod receives it.</p>
      <form class="fields" onSubmit={(event) => {
        event.preventDefault();
        void submit(event.currentTarget);
      }}>
        <Field name="url" label="URL" placeholder="https://shop.example.com/cart" />
        <Field name="method" label="Method" placeholder="GET" />
        <Field name="headers" label="Headers, one in a line" placeholder="X-Session-Id: alice" rows={2} />
        <Field name="cookies" label="Cookies, one in a line" placeholder="cart-id=..." rows={2} />
        <Field name="sourceIP" label="Client address" placeholder="203.0.113.1" />
        <Field name="token" label="Session token: the value of a cookie that Limpet has set" />
        <Field name="withoutPods" label="As if these pods did not exist, one in a line" rows={2} />
        <Field name="after" label="At a later time" placeholder="2h" />
        <button type="submit">Explain</button>
      </form>
      <div aria-live="polite">
        {error && <p class="error">{error}</p>}
        {report && (
          <Table caption="Decisions, in their order" columns={["Step", "Decision"]}>
            {reportRows(report).map(([step, decision], i) => (
              <tr key={i}>
                <th scope="row">{step}</th>
                <td>{decision}</td>
              </tr>
            ))}
          </Table>
        )}
      </div>
    </>
  );
}

function Field(props: { name: string; label: string; placeholder?: string; rows?: number }) {
  const { name, label, placeholder, rows } = props;
  return (
    <label>
      {label}
      {rows ? <textarea name={name} rows={rows} placeholder={placeholder} spellcheck={false} />
        : <input name={name} placeholder={placeholder} autocomplete="off" spellcheck={false} />}
    </label>
  );
}
