// Package certs holds the certificates that the TLS listener presents, by server name, replaced live.
//
// It decides which certificate answers a ClientHello, and which other hosts one that was presented is good for. Which
// Secret serves which name, and what is valid, is decided in pkg/translate; versions, cipher suites, tickets and clients
// are up to pkg/proxy.
package certs
