import { reference, until } from "./format";
import { useLive } from "./live";
import { listPath, Loaded, Pager, Search, Table } from "./parts";
import type { Certificate, Page } from "./types";

const soon = 14 * 24 * 3600 * 1000;

export function CertificatesView(props: { parameters: URLSearchParams }) {
  const live = useLive<Page<Certificate>>(listPath("certificates", props.parameters));
  return (
    <>
      <Search view="certificates" label="Server name, namespace or Secret" parameters={props.parameters} />
      <Loaded live={live}>
        {(page) => (
          <>
            <Pager view="certificates" page={page} parameters={props.parameters} what="certificates" />
            {page.total > 0 && (
              <Table caption="Certificates, the first to expire at the top" columns={["Secret", "Expires", "Server names", "Issuer"]}>
                {page.items.map((certificate) => <Row key={`${reference(certificate.secret)} ${certificate.fingerprint}`} certificate={certificate} />)}
              </Table>
            )}
          </>
        )}
      </Loaded>
    </>
  );
}

function Row({ certificate }: { certificate: Certificate }) {
  const expires = new Date(certificate.notAfter);
  return (
    <tr>
      <th scope="row">{reference(certificate.secret)}<span class="note">{certificate.algorithm}</span></th>
      <td class={expires.getTime() - Date.now() < soon ? "bad" : undefined}>{until(certificate.notAfter)}<span class="note">{expires.toLocaleString()}</span></td>
      <td>{certificate.serverNames.map((name) => name || "all other names").join(", ")}</td>
      <td>{certificate.issuer}</td>
    </tr>
  );
}
