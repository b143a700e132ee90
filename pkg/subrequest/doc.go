// Package subrequest sends the HTTP requests that Limpet makes itself while it serves a client: to services that authenticate
// clients, to backends that provide error pages, and copies of requests to a mirror.
//
// Everything is bounded: the number of requests, their time, and the size of heads and bodies. Redirects are not followed.
// Certificates are always verified. Connections are kept and reused.
//
// A Service of the cluster is reached through its endpoints, without DNS. Other names are resolved by DNS. They must not
// resolve to loopback, link-local or cloud metadata addresses, nor to an address of Limpet, as for Services of type
// ExternalName.
package subrequest
