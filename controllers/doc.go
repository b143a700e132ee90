// Package controllers connects Limpet to a Kubernetes cluster. It is the only package that talks to the API server.
//
// It decides when to translate, what to read from the API server, and which replica writes:
//
//   - Every replica watches and serves. A relevant change of an object enqueues the single key of the table
//     controller. Changes are coalesced for 30 ms, so that a burst causes one translation, of what the changed
//     objects can affect.
//   - A change of endpoints or of pod metadata takes the fast path. The pools of the Service get their new
//     endpoints immediately, and no table is built.
//   - Only the leader writes: the status of AffinityPolicies and Ingresses, Events, and the Secret with the
//     affinity keys. A replica that loses the lease stops writing. It keeps serving, and status is not reverted.
//   - The first table is published only after the affinity keys are loaded. A replica without keys is not ready,
//     because it could not return clients to their pods.
//
// Package translate interprets the objects, publish makes the result live, and affinity owns the keyring. Nothing
// here is on the path of a request.
package controllers
