// Package controllers is the cluster side of Limpet: the only rooms that talk to the API server.
//
// It decides when to translate, what to ask the API server for, and who writes what:
//
//   - Every replica watches and serves. Any change of an object that matters enqueues one key for the whole table, some
//     tens of milliseconds later, so that a burst of changes is one translation. A change of endpoints, or of what their
//     pods say of themselves, takes the fast path instead: the pools of that Service get their endpoints at once, and no
//     table is built.
//   - The leader alone writes: the status of AffinityPolicies and Ingresses, Events, and the Secret with the affinity
//     keys. Losing the lease stops the writing and nothing else: traffic does not notice, and no status is taken back.
//   - The keys come before the table. A replica is not ready until it has both, since it could bring nobody back to
//     their pod.
//
// It leaves to others: what the objects mean (translate), how that gets live (publish), and what a keyring does with
// its keys (affinity). Nothing here is on the path of a request.
package controllers
