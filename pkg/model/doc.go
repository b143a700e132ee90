// Package model is the plain data between translation and the data plane: routes, pools, endpoints, affinity and
// certificates, as they were decided from the Kubernetes objects.
//
// It decides nothing, and imports the standard library only. Values are immutable once they have left
// translate.Build: whoever needs a change builds a new Model. Endpoints are not part of a Model, because they change
// far more often than anything else: they travel beside it, pool by pool (see Endpoint).
package model
