// Starts Limpet with manifests and sample pods for the tests.
import { spawn } from "node:child_process";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const binary = process.env.LIMPET ?? "bin/limpet";

// Limpet is a process of `limpet dev` and its folder of manifests.
export class Limpet {
  static async start(manifests, ...flags) {
    const limpet = new Limpet();
    limpet.folder = await mkdtemp(join(tmpdir(), "limpet-dashboard-"));
    for (const [name, objects] of Object.entries(manifests)) {
      await limpet.write(name, objects);
    }
    limpet.process = spawn(binary, ["dev", "--manifests", limpet.folder, "--http-addr=127.0.0.1:0", "--https-addr=",
      "--admin-addr=127.0.0.1:0", "--access-log=false", "--log-format=json", "--stop-delay=0s", "--stop-timeout=1s", ...flags],
    { stdio: ["ignore", "ignore", "pipe"] });
    await limpet.readAddresses();
    return limpet;
  }

  // readAddresses waits for the log lines with the addresses of both listeners, and goes on reading the log.
  readAddresses() {
    const addresses = {};
    const log = [];
    return new Promise((resolve, reject) => {
      this.process.on("error", reject);
      this.process.on("exit", () => reject(new Error(`limpet has ended:\n${log.join("\n")}`)));
      createInterface({ input: this.process.stderr }).on("line", (line) => {
        log.push(line);
        if (line.includes('"msg":"Listening"')) {
          const { listener, address } = JSON.parse(line);
          addresses[listener] = address;
        }
        if (addresses.HTTP && addresses.admin) {
          this.http = addresses.HTTP;
          this.admin = `http://${addresses.admin}`;
          resolve();
        }
      });
    });
  }

  // write replaces a manifest in one step. JSON is YAML.
  async write(name, objects) {
    const path = join(this.folder, `${name}.json`);
    await writeFile(`${path}.new`, JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
    await rename(`${path}.new`, path);
  }

  async api(path, headers = {}) {
    const response = await fetch(`${this.admin}/api/${path}`, { headers });
    if (!response.ok) {
      throw new Error(`${path}: ${response.status} ${await response.text()}`);
    }
    return response.json();
  }

  // get sends a request to a host, and returns the text of the response and its cookie.
  get(host, cookie = "") {
    const [address, port] = this.http.split(":");
    return new Promise((resolve, reject) => {
      const options = { host: address, port, path: "/", headers: { Host: host, Cookie: cookie }, agent: false };
      request(options, (response) => {
        const chunks = [];
        response.on("data", (chunk) => chunks.push(chunk));
        response.on("end", () => resolve({
          status: response.statusCode,
          text: Buffer.concat(chunks).toString(),
          cookie: response.headers["set-cookie"]?.[0].split(";")[0] ?? cookie,
        }));
      }).on("error", reject).end();
    });
  }

  async stop() {
    const ended = new Promise((resolve) => this.process.on("exit", resolve));
    this.process.kill("SIGTERM");
    await ended;
    await rm(this.folder, { recursive: true });
  }
}

// Pods are HTTP servers that respond with their names.
export class Pods {
  servers = new Map();

  async add(name) {
    const server = createServer((_, response) => response.end(name));
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    this.servers.set(name, server);
  }

  // slice returns the EndpointSlice of a Service with some of the pods. Those in draining terminate, but still serve.
  slice(service, names, draining = []) {
    const object = (name) => ({
      apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", addressType: "IPv4",
      metadata: { namespace: "shop", name: `${service}-${name}`, labels: { "kubernetes.io/service-name": service } },
      ports: [{ name: "http", port: this.servers.get(name).address().port }],
      endpoints: [{
        addresses: ["127.0.0.1"],
        conditions: { ready: !draining.includes(name), serving: true, terminating: draining.includes(name) },
        targetRef: { kind: "Pod", namespace: "shop", name, uid: name },
      }],
    });
    return names.map(object);
  }

  close() {
    for (const server of this.servers.values()) {
      server.closeAllConnections();
      server.close();
    }
  }
}

export function service(name) {
  return { apiVersion: "v1", kind: "Service", metadata: { namespace: "shop", name }, spec: { ports: [{ name: "http", port: 80 }] } };
}

export function ingress(name, hosts, backend, annotations = {}) {
  const paths = [{ path: "/", pathType: "Prefix", backend: { service: { name: backend, port: { number: 80 } } } }];
  return {
    apiVersion: "networking.k8s.io/v1", kind: "Ingress", metadata: { namespace: "shop", name, annotations },
    spec: { rules: hosts.map((host) => ({ host, http: { paths } })) },
  };
}

// eventually calls check until it returns without an error, and returns its result.
export async function eventually(check, patience = 30_000) {
  const end = Date.now() + patience;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > end) {
        throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
