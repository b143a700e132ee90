// Package translate turns the Kubernetes objects of a Snapshot into the model that the data plane serves, and says in
// Reports what it found wrong.
//
// It is a function: no client, context, logger, clock or network, and its input is never changed. Part of the input is
// the Model in use, from which a certificate is taken over whose Secret has become unusable. It decides
//
//   - which Ingresses are ours. A reader turns each into a description, which has the same form for every kind of object;
//     all steps after it work on descriptions, so that another kind needs no more than another reader;
//   - which of two objects that want the same thing gets it. Objects are ordered by
//     (creationTimestamp, namespace, name) first, and the oldest wins: the outcome never depends on the order of input;
//   - which namespace owns each host, and so decides its settings (owners.of);
//   - which Ingress is the canary of which: it brings a second backend to routes, and has none of its own;
//   - what every rule, path, backend, TLS section and limpet.dev annotation comes to;
//   - which stickiness a backend gets, see below;
//   - which endpoints of a Service may be used, and for what (Endpoints).
//
// A bad object never hurts another: what cannot be used is left out and named in a Problem, and a route whose backend
// cannot be resolved stays, without backends, so that its requests are answered with 503 and not by another route.
//
// The stickiness of a backend comes from the first of these that there is:
//
//  1. an AffinityPolicy that targets the Service;
//  2. the AffinityPolicy that the annotation limpet.dev/affinity-policy of the Ingress names;
//  3. an AffinityPolicy that targets the Ingress;
//  4. the annotation limpet.dev/affinity of the Ingress.
//
// Of two policies on one target the oldest that is accepted wins. If none of them is accepted, the backend serves
// without stickiness: it does not fall through to the next of the list, which somebody chose not to use.
//
// It leaves to others: whether the endpoints answer (upstream), matching (routing), when to translate and where the
// Reports go (publish, controllers).
package translate
