// Package translate turns the Kubernetes objects of a Snapshot into the model that the data plane serves. Its Reports
// list the problems of these objects.
//
// Build is a pure function: it uses no client, context, logger, clock or network, and does not modify its input. The
// input includes the Model in use: if a Secret has become invalid, its previous certificate is kept. Build decides
//
//   - which Ingresses belong to Limpet. A reader turns each into a description, which has the same form for every kind of
//     object. All later steps work on descriptions, so a new kind only needs a reader;
//   - which of two conflicting objects wins. Objects are sorted by (creationTimestamp, namespace, name) first, and the
//     oldest wins, so the result does not depend on the order of the input;
//   - which namespace owns each host, and therefore decides its settings (owners.of);
//   - which Ingress is a canary. A canary adds a second backend to the routes of another Ingress, and has no own routes;
//   - how every rule, path, backend, TLS section and limpet.dev annotation is translated;
//   - the stickiness of each backend, see below;
//   - which endpoints of a Service may be used, and how (Endpoints).
//
// An invalid object never affects another. Its invalid parts are left out and reported as Problems. A route whose backend
// cannot be resolved stays in the model without backends, so that its requests get a 503 and do not reach another route.
//
// The stickiness of a backend comes from the first of these that exists:
//
//  1. an AffinityPolicy that targets the Service;
//  2. the AffinityPolicy that the annotation limpet.dev/affinity-policy of the Ingress names;
//  3. an AffinityPolicy that targets the Ingress;
//  4. the annotation limpet.dev/affinity of the Ingress.
//
// If several policies have the same target, the oldest accepted one wins. If none of them is accepted, the backend serves
// without stickiness: it does not fall through to the next entry of the list, which the author chose not to use.
//
// An Engine has the same results, and translates only what changed objects can affect. See its documentation and ADR 59.
//
// Other packages check whether the endpoints respond (upstream), match requests (routing), and decide when to translate
// and where the Reports go (publish, controllers).
package translate
