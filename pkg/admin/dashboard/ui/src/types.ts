// The documents of the API, see docs/reference/admin.md and the Go types of package dashboard.

export interface History {
  intervalSeconds: number;
  requests: number[];
  errors: number[];
  new: number[];
  moved: number[];
  sessions: number[];
  inFlight: number[];
}

export interface Overview {
  version: string;
  ready: boolean;
  generation: number;
  digest: number;
  builtAt: string;
  routes: number;
  closed: number;
  pools: number;
  empty: number;
  pods: Record<string, number>;
  problems: number;
  certificates: number;
  expiring: number;
  sessions: number;
  inFlight: number;
  history: History;
}

// Summary compares the replicas.
export interface Summary {
  replicas: { name: string; error?: string; replica?: Replica }[];
  agree: boolean;
  attention?: string[];
}

export interface Replica {
  version: string;
  ready: boolean;
  role?: string;
  generation: number;
  digest: number;
  builtAt?: string;
}

export interface Page<T> {
  total: number;
  offset: number;
  limit: number;
  items: T[];
}

export interface Ref {
  kind: string;
  namespace?: string;
  name: string;
}

export interface Route {
  host: string;
  path: string;
  pathType: string;
  source: Ref;
  backends: { pool: string; weight: number; affinity?: Ref }[];
  filters: string[];
  closed?: string;
  conditional?: boolean;
  requests: number;
  lastUsed?: string;
}

export interface Counts {
  requests: number;
  errors: number;
  retries: number;
  failures: number;
  outcomes: Record<string, number>;
  moved: Record<string, number>;
}

export interface Pool {
  id: string;
  pods: Record<string, number>;
  sessions: number;
  inFlight: number;
  counts?: Counts;
  history?: History;
}

export interface Endpoint {
  id: string;
  pod?: string;
  address: string;
  zone?: string;
  state: string;
  sessions: number;
  idle: number;
  inFlight: number;
  streams: number;
  newPerMinute: number;
  incomplete?: boolean;
  history?: { intervalSeconds: number; sessions: number[]; inFlight: number[] };
}

export interface PoolDetail extends Pool {
  endpoints: Endpoint[];
  replicas: { name?: string; address?: string; error?: string }[];
}

export interface Problem {
  object: Ref;
  field?: string;
  reason: string;
  message: string;
  advice?: string;
}

export interface Certificate {
  secret: Ref;
  serverNames: string[];
  algorithm: string;
  issuer: string;
  notBefore: string;
  notAfter: string;
  fingerprint: string;
}
