// Package model defines the data that translation passes to the data plane: routes, pools, endpoints, affinity and
// certificates.
//
// The package contains no decisions and imports only the standard library. Values are immutable after translate.Build
// returns them. Callers that need a change build a new Model. A Model does not contain the endpoints, because they
// change far more often. They are passed separately for each pool, see Endpoint.
package model
