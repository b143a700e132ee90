// Package certs stores the certificates that the TLS listener presents, by server name. They can be replaced at run
// time.
//
// It selects the certificate for a ClientHello, and reports which other hosts a certificate is valid for. Package
// translate decides which Secret belongs to which name. TLS versions, cipher suites, tickets and client
// certificates are configured in package proxy.
package certs
